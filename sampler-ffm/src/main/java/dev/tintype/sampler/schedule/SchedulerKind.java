package dev.tintype.sampler.schedule;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The schedulers of the engine, with their class in diffusers and the name that users type. */
public enum SchedulerKind {
  DDIM("DDIMScheduler", "ddim"),
  EULER("EulerDiscreteScheduler", "euler"),
  EULER_ANCESTRAL("EulerAncestralDiscreteScheduler", "euler_a"),
  DPMPP_2M("DPMSolverMultistepScheduler", "dpmpp_2m"),
  DDPM("DDPMScheduler", "ddpm"),
  LCM("LCMScheduler", "lcm");

  /**
   * DPM-Solver++ 2M on the sigmas of Karras et al. 2022, a name of its own because it is popular.
   */
  public static final String DPMPP_2M_KARRAS = "dpmpp_2m_karras";

  private final String className;
  private final String userName;

  SchedulerKind(String className, String userName) {
    this.className = className;
    this.userName = userName;
  }

  /** The name of the class in diffusers, as in scheduler_config.json. */
  public String className() {
    return className;
  }

  /** The name in requests: {@code ddim}, {@code euler_a}, ... */
  public String userName() {
    return userName;
  }

  public static Optional<SchedulerKind> ofClassName(String className) {
    return Arrays.stream(values()).filter(kind -> kind.className.equals(className)).findFirst();
  }

  /** All names that {@link SchedulerConfig#named} takes. */
  public static List<String> userNames() {
    return List.of("ddim", "euler", "euler_a", "dpmpp_2m", DPMPP_2M_KARRAS, "ddpm", "lcm");
  }
}

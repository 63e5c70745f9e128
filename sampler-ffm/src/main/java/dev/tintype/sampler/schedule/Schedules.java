package dev.tintype.sampler.schedule;

/** Makes plans: {@code Schedules.plan(config, 30, Options.DEFAULT)}. */
public final class Schedules {
  private Schedules() {}

  /**
   * What a run chooses beside the number of steps.
   *
   * @param eta DDIM's share of fresh noise, 0 (deterministic) to 1; other schedulers ignore it
   * @param useClippedModelOutput DDIM: recompute eps from the clipped x0
   * @param firstStep steps before this one are not run (image-to-image); multistep solvers then
   *     have no history at that step
   */
  public record Options(double eta, boolean useClippedModelOutput, int firstStep) {
    public static final Options DEFAULT = new Options(0, false, 0);

    public Options {
      if (!(eta >= 0 && eta <= 1)) {
        throw new ScheduleException("schedule.eta", "eta must be between 0 and 1, not " + eta);
      }
    }

    public Options withEta(double value) {
      return new Options(value, useClippedModelOutput, firstStep);
    }

    public Options withFirstStep(int value) {
      return new Options(eta, useClippedModelOutput, value);
    }
  }

  /**
   * @throws ScheduleException {@code schedule.steps} when there are fewer than 1 or more steps than
   *     the scheduler can take
   */
  public static SchedulePlan plan(SchedulerConfig config, int steps, Options options) {
    if (steps < 1 || steps > config.numTrainTimesteps()) {
      throw new ScheduleException(
          "schedule.steps",
          "steps must be between 1 and " + config.numTrainTimesteps() + ", not " + steps);
    }
    return switch (config.kind()) {
      case DDIM -> Ddim.plan(config, steps, options);
      case EULER -> Euler.plan(config, steps, false);
      case EULER_ANCESTRAL -> Euler.plan(config, steps, true);
      case DPMPP_2M -> DpmSolverMultistep.plan(config, steps, options);
      case DDPM -> Ddpm.plan(config, steps);
      case LCM -> Lcm.plan(config, steps);
    };
  }
}

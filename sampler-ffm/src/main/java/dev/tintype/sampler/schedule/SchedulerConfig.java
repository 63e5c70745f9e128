package dev.tintype.sampler.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.config.JsonFile;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A scheduler_config.json: which scheduler, and its options under the names and defaults that
 * diffusers gives them. Options that are absent take the default of their scheduler's class.
 */
public final class SchedulerConfig {
  /** Training timesteps of published models are 1000; tables are made in memory. */
  static final int TRAIN_TIMESTEPS_MAX = 100_000;

  private final SchedulerKind kind;
  private final JsonNode json;

  private SchedulerConfig(SchedulerKind kind, JsonNode json) {
    this.kind = kind;
    this.json = json;
    int train = numTrainTimesteps();
    if (train < 1 || train > TRAIN_TIMESTEPS_MAX) {
      throw unsupported("num_train_timesteps", Integer.toString(train));
    }
    if (flag("thresholding", false)) {
      throw unsupported("thresholding", "true");
    }
    predictionType();
    spacing();
  }

  /** As {@link #of} for a file whose {@code _class_name} says which scheduler it is. */
  public static SchedulerConfig read(Path file) {
    JsonNode json = JsonFile.read(file);
    return of(json.path("_class_name").asText(""), json);
  }

  /**
   * @throws ScheduleException {@code schedule.unknown} for a class that the engine does not have,
   *     {@code schedule.unsupported} for an option that it does not have
   */
  public static SchedulerConfig of(String className, JsonNode json) {
    if (className.equals("PNDMScheduler")) {
      // The default of Stable Diffusion 1.x folders. DDIM runs on the same betas and timesteps; x0
      // is
      // not clipped there, which is not DDIM's own default.
      ObjectNode ddim = json.isObject() ? ((ObjectNode) json).deepCopy() : emptyObject();
      ddim.put("clip_sample", false);
      return new SchedulerConfig(SchedulerKind.DDIM, ddim);
    }
    SchedulerKind kind =
        SchedulerKind.ofClassName(className)
            .orElseThrow(
                () ->
                    new ScheduleException(
                        "schedule.unknown",
                        "no scheduler "
                            + className
                            + "; known are "
                            + java.util.Arrays.stream(SchedulerKind.values())
                                .map(SchedulerKind::className)
                                .toList()));
    return new SchedulerConfig(kind, json);
  }

  /**
   * Another scheduler on this model: the model's betas and prediction type stay, the steps differ.
   *
   * @param userName one of {@link SchedulerKind#userNames()}
   */
  public SchedulerConfig named(String userName) {
    String name = userName.toLowerCase(Locale.ROOT);
    ObjectNode changed = json.isObject() ? ((ObjectNode) json).deepCopy() : emptyObject();
    boolean karras = name.equals(SchedulerKind.DPMPP_2M_KARRAS);
    if (karras || name.equals(SchedulerKind.DPMPP_2M.userName())) {
      // Options of that name from another class would mean something else here.
      changed.remove(java.util.List.of("algorithm_type", "solver_order", "solver_type"));
      changed.put("use_karras_sigmas", karras);
      return new SchedulerConfig(SchedulerKind.DPMPP_2M, changed);
    }
    for (SchedulerKind candidate : SchedulerKind.values()) {
      if (candidate.userName().equals(name)) {
        return new SchedulerConfig(candidate, changed);
      }
    }
    throw new ScheduleException(
        "schedule.unknown",
        "no scheduler '" + userName + "'; known are " + SchedulerKind.userNames());
  }

  private static ObjectNode emptyObject() {
    return com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
  }

  public SchedulerKind kind() {
    return kind;
  }

  int numTrainTimesteps() {
    return integer("num_train_timesteps", 1000);
  }

  int stepsOffset() {
    return integer("steps_offset", 0);
  }

  boolean setAlphaToOne() {
    return flag("set_alpha_to_one", true);
  }

  boolean zeroTerminalSnr() {
    return flag("rescale_betas_zero_snr", false);
  }

  /** Infinity when x0 is not clipped. */
  double clipRange() {
    boolean clipsByDefault = kind == SchedulerKind.DDIM || kind == SchedulerKind.DDPM;
    boolean hasOption = clipsByDefault || kind == SchedulerKind.LCM;
    return hasOption && flag("clip_sample", clipsByDefault)
        ? number("clip_sample_range", 1.0)
        : Double.POSITIVE_INFINITY;
  }

  PredictionType predictionType() {
    String name = text("prediction_type", "epsilon");
    return switch (name) {
      case "epsilon" -> PredictionType.EPSILON;
      case "v_prediction" -> PredictionType.V_PREDICTION;
      case "sample" -> PredictionType.SAMPLE;
      default -> throw unsupported("prediction_type", name);
    };
  }

  TimestepSpacing spacing() {
    boolean leading =
        kind == SchedulerKind.DDIM || kind == SchedulerKind.DDPM || kind == SchedulerKind.LCM;
    String name = text("timestep_spacing", leading ? "leading" : "linspace");
    return switch (name) {
      case "leading" -> TimestepSpacing.LEADING;
      case "trailing" -> TimestepSpacing.TRAILING;
      case "linspace" -> TimestepSpacing.LINSPACE;
      default -> throw unsupported("timestep_spacing", name);
    };
  }

  String betaSchedule() {
    return text("beta_schedule", kind == SchedulerKind.LCM ? "scaled_linear" : "linear");
  }

  double betaStart() {
    return number("beta_start", kind == SchedulerKind.LCM ? 0.00085 : 0.0001);
  }

  double betaEnd() {
    return number("beta_end", kind == SchedulerKind.LCM ? 0.012 : 0.02);
  }

  /** Empty unless {@code trained_betas} is given. */
  float[] trainedBetas() {
    JsonNode betas = json.path("trained_betas");
    float[] values = new float[betas.isArray() ? betas.size() : 0];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) betas.get(i).asDouble();
    }
    return values;
  }

  OptionalDouble optionalNumber(String key) {
    JsonNode value = json.path(key);
    return value.isNumber() ? OptionalDouble.of(value.asDouble()) : OptionalDouble.empty();
  }

  int integer(String key, int fallback) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return fallback;
    }
    if (!value.canConvertToInt()) {
      throw unsupported(key, value.toString());
    }
    return value.asInt();
  }

  double number(String key, double fallback) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return fallback;
    }
    if (!value.isNumber() || Double.isNaN(value.asDouble())) {
      throw unsupported(key, value.toString());
    }
    return value.asDouble();
  }

  boolean flag(String key, boolean fallback) {
    JsonNode value = json.path(key);
    return value.isBoolean() ? value.asBoolean() : fallback;
  }

  String text(String key, String fallback) {
    JsonNode value = json.path(key);
    return value.isTextual() ? value.asText() : fallback;
  }

  ScheduleException unsupported(String key, String value) {
    return new ScheduleException(
        "schedule.unsupported",
        kind.className() + ": " + key + " = " + value + " is not supported");
  }
}

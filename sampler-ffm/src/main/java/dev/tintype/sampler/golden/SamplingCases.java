package dev.tintype.sampler.golden;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import dev.tintype.sampler.schedule.SchedulerConfig;
import dev.tintype.sampler.schedule.Schedules;
import dev.tintype.sampler.text.ClipTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The cases without a network: schedulers, guidance, tokenizer. */
final class SamplingCases {
  private SamplingCases() {}

  static void scheduler(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    SchedulePlan plan = plan(c);
    // Timesteps of Karras sigmas are interpolated, up to 1000: a tolerance for numbers near 1
    // would ask for more digits than fp32 has.
    comparison.add(
        "timesteps", plan.timesteps(), doubles(c, "timesteps"), Math.max(tolerance, 2e-4));
    comparison.add(
        "alphas_cumprod", plan.alphasCumprod(), c.expected("alphas_cumprod").toFloats(), tolerance);
    comparison.add(
        "init_noise_sigma",
        new double[] {plan.initNoiseSigma()},
        doubles(c, "init_noise_sigma"),
        tolerance);
    if (c.expects("sigmas") && plan.sigmas().length > 0) {
      comparison.add("sigmas", plan.sigmas(), doubles(c, "sigmas"), tolerance);
    }
    chain(c, comparison, plan, tolerance);
  }

  private static SchedulePlan plan(GoldenCase c) {
    JsonNode args = c.json().path("step_args");
    args.fieldNames()
        .forEachRemaining(
            name -> {
              if (!List.of("eta", "use_clipped_model_output").contains(name)) {
                throw new GoldenException("step_args." + name + " is not known");
              }
            });
    return Schedules.plan(
        SchedulerConfig.of(c.text("scheduler"), c.json().path("config")),
        c.integer("num_inference_steps"),
        new Schedules.Options(
            args.path("eta").asDouble(0),
            args.path("use_clipped_model_output").asBoolean(false),
            0));
  }

  private static double[] doubles(GoldenCase c, String key) {
    float[] values = c.expected(key).toFloats();
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  /**
   * Every step through the device's fused verb. Each begins at diffusers' own sample, not at ours:
   * where samples reach 60 (dpmpp-2m-karras), the fp32 rounding of diffusers alone adds up to 2e-5
   * over a chain, against the same formulas in fp64.
   */
  private static void chain(
      GoldenCase c, Comparison comparison, SchedulePlan plan, double tolerance) {
    Ops ops = c.ops();
    Tensor sample = c.tensor("sample");
    Optional<Tensor> history = Optional.empty();
    try {
      for (int i = 0; i < plan.steps(); i++) {
        try (Tensor scaled = ops.scale(sample, (float) plan.modelInputScale(i))) {
          compare(c, comparison, "model_input." + i, scaled, tolerance);
        }
        Ops.Stepped stepped = step(c, plan, i, sample, history);
        sample.close();
        history.ifPresent(Tensor::close);
        sample = stepped.previous();
        history = Optional.of(stepped.predictedOriginal());
        compare(c, comparison, "prev_sample." + i, sample, tolerance);
        compare(c, comparison, "pred_original_sample." + i, stepped.predictedOriginal(), tolerance);
        sample.close();
        sample = c.ops().upload(c.expected("prev_sample." + i).toFloats(), sample.shape());
      }
    } finally {
      sample.close();
      history.ifPresent(Tensor::close);
    }
  }

  private static Ops.Stepped step(
      GoldenCase c, SchedulePlan plan, int index, Tensor sample, Optional<Tensor> history) {
    boolean draws = plan.drawsNoise(index);
    try (Tensor model = c.tensor("model_output." + index);
        Tensor noise = draws ? c.tensor("noise." + index) : c.ops().zeros(sample.shape())) {
      return c.ops()
          .step(
              sample,
              model,
              history,
              draws ? Optional.of(noise) : Optional.empty(),
              plan.coefficients(index));
    }
  }

  private static void compare(
      GoldenCase c, Comparison comparison, String key, Tensor actual, double tolerance) {
    if (c.expects(key)) {
      comparison.add(key, c.ops().download(actual), c.expected(key).toFloats(), tolerance);
    }
  }

  static void guidance(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    try (Tensor uncond = c.image("noise_pred_uncond");
        Tensor text = c.image("noise_pred_text")) {
      float scale = (float) c.json().path("guidance_scale").asDouble();
      try (Tensor guided = c.ops().guide(uncond, text, scale, 0)) {
        comparison.add(
            "noise_pred", c.nchw(guided), c.expected("noise_pred").toFloats(), tolerance);
      }
      float rescale = (float) c.json().path("guidance_rescale").asDouble();
      try (Tensor guided = c.ops().guide(uncond, text, scale, rescale)) {
        float[] expected = c.expected("noise_pred_rescaled").toFloats();
        comparison.add("noise_pred_rescaled", c.nchw(guided), expected, tolerance);
      }
    }
  }

  static void tokenizer(GoldenCase c, Comparison comparison) {
    ClipTokenizer tokenizer = ClipTokenizer.load(c.model());
    List<String> prompts = c.texts("prompts");
    JsonNode expected = c.json().path("input_ids");
    if (expected.size() != prompts.size()) {
      throw new GoldenException("input_ids has not one row per prompt");
    }
    for (int i = 0; i < prompts.size(); i++) {
      double[] ids = Arrays.stream(tokenizer.encode(prompts.get(i))).asDoubleStream().toArray();
      double[] row = new double[expected.get(i).size()];
      for (int j = 0; j < row.length; j++) {
        row[j] = expected.get(i).get(j).asDouble();
      }
      comparison.add("prompt " + i, ids, row, 0);
    }
  }
}

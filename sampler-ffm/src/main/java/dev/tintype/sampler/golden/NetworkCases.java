package dev.tintype.sampler.golden;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.model.AutoencoderKlConfig;
import dev.tintype.sampler.model.ClipTextConfig;
import dev.tintype.sampler.model.ClipTextModel;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.RrdbNet;
import dev.tintype.sampler.model.RrdbNetConfig;
import dev.tintype.sampler.model.SafetyCheckerConfig;
import dev.tintype.sampler.model.StableDiffusionSafetyChecker;
import dev.tintype.sampler.model.UNet2DConditionConfig;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.model.UNet2DConditionModel.AddedConditions;
import dev.tintype.sampler.nn.Tensors;
import dev.tintype.sampler.weights.Checkpoint;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Arrays;
import java.util.Optional;

/** The cases of one network each. */
final class NetworkCases {
  private NetworkCases() {}

  static void textEncoder(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    ClipTextConfig config = ClipTextConfig.read(ConfigReader.ofFolder(c.model()));
    HostTensor ids = c.input("input_ids");
    int rows = ids.shape().intDim(0);
    int tokens = ids.shape().intDim(1);
    float[] flat = ids.toFloats();
    int[][] input = new int[rows][tokens];
    for (int i = 0; i < flat.length; i++) {
      input[i / tokens][i % tokens] = (int) flat[i];
    }
    try (Checkpoint weights = Checkpoint.open(c.model());
        ClipTextModel model = ClipTextModel.load(config, weights, c.ops());
        ClipTextModel.Encoded encoded = model.encode(input, 1)) {
      compare(c, comparison, "last_hidden_state", encoded.lastHiddenState(), tolerance);
      compare(c, comparison, "penultimate_hidden_state", encoded.hidden(), tolerance);
      compare(c, comparison, "text_embeds", encoded.pooled(), tolerance);
      compare(c, comparison, "pooler_output", encoded.pooled(), tolerance);
    }
  }

  private static void compare(
      GoldenCase c, Comparison comparison, String key, Tensor actual, double tolerance) {
    if (c.expects(key)) {
      comparison.add(key, c.ops().download(actual), c.expected(key).toFloats(), tolerance);
    }
  }

  static void unet(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    UNet2DConditionConfig config = UNet2DConditionConfig.read(ConfigReader.ofFolder(c.model()));
    try (Checkpoint weights = Checkpoint.open(c.model());
        UNet2DConditionModel model = UNet2DConditionModel.load(config, weights, c.ops());
        Tensor sample = c.image("sample");
        Tensor text = c.tensor("encoder_hidden_states");
        OptionalTensor pooled = OptionalTensor.of(c, "text_embeds")) {
      double[] timesteps = timesteps(c, sample.shape().intDim(0));
      Optional<AddedConditions> added =
          pooled.tensor().map(t -> new AddedConditions(t, rows(c.input("time_ids"))));
      UNet2DConditionModel.Tap tap = (name, tensor) -> tap(c, comparison, name, tensor, tolerance);
      try (Tensor prediction = model.forward(sample, timesteps, text, added, tap)) {
        comparison.add("sample", c.nchw(prediction), c.expected("sample").toFloats(), tolerance);
      }
    }
  }

  private static void tap(
      GoldenCase c, Comparison comparison, String name, Tensor tensor, double tolerance) {
    String key = "tap." + name;
    if (c.expects(key)) {
      float[] actual = tensor.shape().rank() == 4 ? c.nchw(tensor) : c.ops().download(tensor);
      comparison.addTap(key, actual, c.expected(key).toFloats(), tolerance);
    }
  }

  /** One timestep per item; a single one is for all. */
  private static double[] timesteps(GoldenCase c, int items) {
    float[] given = c.input("timestep").toFloats();
    double[] timesteps = new double[items];
    if (given.length != 1 && given.length != items) {
      throw new GoldenException("timestep has " + given.length + " values for " + items + " items");
    }
    for (int i = 0; i < items; i++) {
      timesteps[i] = given[given.length == 1 ? 0 : i];
    }
    return timesteps;
  }

  private static double[][] rows(HostTensor host) {
    float[] flat = host.toFloats();
    double[][] rows = new double[host.shape().intDim(0)][host.shape().intDim(1)];
    for (int i = 0; i < flat.length; i++) {
      rows[i / rows[0].length][i % rows[0].length] = flat[i];
    }
    return rows;
  }

  static void vae(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    AutoencoderKlConfig config = AutoencoderKlConfig.read(ConfigReader.ofFolder(c.model()));
    try (Checkpoint weights = Checkpoint.open(c.model());
        AutoencoderKl model = AutoencoderKl.load(config, weights, c.ops())) {
      if (c.expects("decoded")) {
        try (Tensor decoded = Tensors.consume(c.image("latent"), model::decode)) {
          comparison.add("decoded", c.nchw(decoded), c.expected("decoded").toFloats(), tolerance);
        }
      }
      if (c.expects("mean")) {
        try (Tensor picture = c.image("image");
            AutoencoderKl.Posterior posterior = model.encode(picture)) {
          comparison.add(
              "mean", c.nchw(posterior.mean()), c.expected("mean").toFloats(), tolerance);
          comparison.add(
              "logvar", c.nchw(posterior.logvar()), c.expected("logvar").toFloats(), tolerance);
        }
      }
    }
  }

  static void safetyChecker(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    SafetyCheckerConfig config = SafetyCheckerConfig.read(ConfigReader.ofFolder(c.model()));
    try (Checkpoint weights = Checkpoint.open(c.model());
        StableDiffusionSafetyChecker model =
            StableDiffusionSafetyChecker.load(config, weights, c.ops());
        Tensor pixels = c.image("pixel_values")) {
      StableDiffusionSafetyChecker.Verdict verdict = model.check(pixels);
      compare(c, comparison, "image_embeds", verdict.imageEmbeds(), tolerance);
      compare(c, comparison, "concept_cosine", verdict.conceptCosines(), tolerance);
      compare(c, comparison, "special_care_cosine", verdict.specialCareCosines(), tolerance);
      float[][] flags = new float[verdict.flagged().length][1];
      for (int i = 0; i < flags.length; i++) {
        flags[i][0] = verdict.flagged()[i] ? 1 : 0;
      }
      compare(c, comparison, "has_nsfw_concept", flags, tolerance);
    }
  }

  private static void compare(
      GoldenCase c, Comparison comparison, String key, float[][] rows, double tolerance) {
    if (c.expects(key)) {
      double[] flat =
          Arrays.stream(rows)
              .flatMapToDouble(
                  row -> java.util.stream.IntStream.range(0, row.length).mapToDouble(i -> row[i]))
              .toArray();
      float[] expected = c.expected(key).toFloats();
      double[] wide = new double[expected.length];
      Arrays.setAll(wide, i -> expected[i]);
      comparison.add(key, flat, wide, tolerance);
    }
  }

  static void upscaler(GoldenCase c, Comparison comparison) {
    double tolerance = c.tolerance("max_abs");
    RrdbNetConfig config = RrdbNetConfig.read(ConfigReader.ofFolder(c.model()));
    try (Checkpoint weights = Checkpoint.open(c.model());
        RrdbNet model = RrdbNet.load(config, weights, c.ops());
        Tensor picture = c.image("image");
        Tensor larger = model.forward(picture)) {
      comparison.add("image", c.nchw(larger), c.expected("image").toFloats(), tolerance);
    }
  }

  /** A tensor that a case may leave out. */
  private record OptionalTensor(Optional<Tensor> tensor) implements AutoCloseable {
    static OptionalTensor of(GoldenCase c, String key) {
      return new OptionalTensor(c.hasInput(key) ? Optional.of(c.tensor(key)) : Optional.empty());
    }

    @Override
    public void close() {
      tensor.ifPresent(Tensor::close);
    }
  }
}

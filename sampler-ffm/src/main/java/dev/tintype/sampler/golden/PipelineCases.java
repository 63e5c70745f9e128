package dev.tintype.sampler.golden;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.NoiseSource;
import dev.tintype.sampler.pipeline.Picture;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.Sample;
import dev.tintype.sampler.weights.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whole pipelines with diffusers' own random numbers: txt2img, img2img, inpaint. */
final class PipelineCases {
  private static final List<String> KNOWN_ARGS =
      List.of("eta", "guidance_rescale", "clip_skip", "scheduler");

  private final GoldenCase c;
  private final Comparison comparison;
  private final List<String> prompts;
  private final List<String> negativePrompts;
  private final JsonNode args;

  private PipelineCases(GoldenCase c, Comparison comparison) {
    this.c = c;
    this.comparison = comparison;
    this.prompts = c.texts("prompts");
    this.negativePrompts = c.texts("negative_prompts");
    this.args = c.json().path("args");
    if (prompts.isEmpty()) {
      throw new GoldenException("prompts is missing in case.json");
    }
    args.fieldNames()
        .forEachRemaining(
            name -> {
              if (!KNOWN_ARGS.contains(name)) {
                throw new GoldenException("args." + name + " is not known");
              }
            });
  }

  static void textToImage(GoldenCase c, Comparison comparison) {
    PipelineCases cases = new PipelineCases(c, comparison);
    int width = c.integer("width");
    int height = c.integer("height");
    cases.run(
        pipeline -> sample -> new GivenNoise(c, sample, "latents", "", "", 0, 0),
        sample -> cases.recipe(sample, width, height, Optional.empty(), Optional.empty()));
  }

  static void imageToImage(GoldenCase c, Comparison comparison) {
    PipelineCases cases = new PipelineCases(c, comparison);
    HostTensor image = c.input("image");
    int first = cases.firstStep();
    cases.run(
        pipeline -> sample -> new GivenNoise(c, sample, "noise.1", "noise.0", "", 2, first),
        sample -> cases.recipe(sample, image, Optional.empty()));
  }

  static void inpaint(GoldenCase c, Comparison comparison) {
    PipelineCases cases = new PipelineCases(c, comparison);
    HostTensor image = c.input("image");
    HostTensor mask = c.input("mask");
    int first = cases.firstStep();
    boolean full = cases.strength() == 1;
    cases.run(
        pipeline ->
            sample ->
                // diffusers draws a posterior for the picture only when it needs its latent.
                pipeline.info().inpainting() && full
                    ? new GivenNoise(c, sample, "noise.0", "", "noise.1", 2, first)
                    : new GivenNoise(c, sample, "noise.1", "noise.0", "noise.2", 3, first),
        sample -> cases.recipe(sample, image, Optional.of(mask)));
  }

  /** The random numbers of a sample, once the pipeline is known. */
  private interface Noise {
    java.util.function.IntFunction<NoiseSource> of(DiffusionPipeline pipeline);
  }

  private void run(Noise noise, java.util.function.IntFunction<Recipe> recipe) {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(c.model(), c.device(), LoadOptions.defaults())) {
      List<Sample> samples = new ArrayList<>();
      try {
        for (int i = 0; i < prompts.size(); i++) {
          // A negative prompt that is given, be it empty, is encoded.
          boolean given = !negativePrompts.isEmpty();
          samples.add(pipeline.admit(recipe.apply(i), noise.of(pipeline).apply(i), given));
        }
        run(pipeline, samples);
      } finally {
        samples.forEach(Sample::close);
      }
    }
  }

  private void run(DiffusionPipeline pipeline, List<Sample> samples) {
    for (int step = 0; !samples.getFirst().done(); step++) {
      pipeline.step(samples);
      compareLatents(pipeline, samples, step);
    }
    List<float[]> images = new ArrayList<>();
    samples.forEach(sample -> images.add(pipeline.decodeToFloats(sample)));
    compare("image", images, 3, c.tolerance("image_max_abs"));
  }

  private void compareLatents(DiffusionPipeline pipeline, List<Sample> samples, int step) {
    String key = "latents." + step;
    if (c.expects(key)) {
      List<float[]> latents = samples.stream().map(pipeline::latents).toList();
      compare(key, latents, pipeline.info().latentChannels(), c.tolerance("latents_max_abs"));
    }
  }

  /** Joins [h, w, c] of each sample to the order of [n, c, h, w] and compares. */
  private void compare(String key, List<float[]> items, int channels, double tolerance) {
    int size = items.getFirst().length;
    int pixels = size / channels;
    float[] joined = new float[size * items.size()];
    for (int n = 0; n < items.size(); n++) {
      for (int i = 0; i < size; i++) {
        joined[n * size + i % channels * pixels + i / channels] = items.get(n)[i];
      }
    }
    comparison.add(key, joined, c.expected(key).toFloats(), tolerance);
  }

  private double strength() {
    return c.json().path("strength").asDouble(1);
  }

  private int firstStep() {
    int steps = c.integer("num_inference_steps");
    return steps - (int) (steps * strength());
  }

  private Recipe recipe(int sample, HostTensor image, Optional<HostTensor> mask) {
    return recipe(
        sample,
        image.shape().intDim(3),
        image.shape().intDim(2),
        Optional.of(new Recipe.Init(picture(image, sample), strength())),
        mask.map(m -> picture(m, sample)));
  }

  private Recipe recipe(
      int sample, int width, int height, Optional<Recipe.Init> init, Optional<Picture> mask) {
    return new Recipe(
        prompts.get(sample),
        negativePrompts.isEmpty()
            ? ""
            : negativePrompts.get(negativePrompts.size() == 1 ? 0 : sample),
        width,
        height,
        c.integer("num_inference_steps"),
        c.json().path("guidance_scale").asDouble(7.5),
        args.path("guidance_rescale").asDouble(0),
        args.path("eta").asDouble(0),
        Optional.ofNullable(args.path("scheduler").textValue()),
        0,
        args.path("clip_skip").asInt(0),
        init,
        mask);
  }

  /** Item {@code sample} of [n, c, h, w], or the only one. */
  private static Picture picture(HostTensor host, int sample) {
    int channels = host.shape().intDim(1);
    int height = host.shape().intDim(2);
    int width = host.shape().intDim(3);
    int pixels = width * height;
    int offset = (host.shape().dim(0) == 1 ? 0 : sample) * channels * pixels;
    float[] all = host.toFloats();
    float[] values = new float[channels * pixels];
    for (int i = 0; i < values.length; i++) {
      values[i] = all[offset + i % channels * pixels + i / channels];
    }
    return new Picture(width, height, channels, values);
  }
}

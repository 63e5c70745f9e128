package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.SafetyCheckerConfig;
import dev.tintype.sampler.model.StableDiffusionSafetyChecker;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.Checkpoint;
import java.nio.file.Path;

/**
 * The safety checker of a Stable Diffusion folder on finished pictures: prepares them as CLIP's
 * feature extractor does (shortest edge by bicubic, centre crop, normalise) and asks the network.
 */
public final class SafetyFilter implements AutoCloseable {
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] STD = {0.26862954f, 0.26130258f, 0.27577711f};

  private final Ops ops;
  private final StableDiffusionSafetyChecker checker;

  private SafetyFilter(Ops ops, StableDiffusionSafetyChecker checker) {
    this.ops = ops;
    this.checker = checker;
  }

  /** Loads the folder {@code safety_checker} of a pipeline. */
  public static SafetyFilter load(Path folder, Device device) {
    SafetyCheckerConfig config = SafetyCheckerConfig.read(ConfigReader.ofFolder(folder));
    try (Checkpoint weights = Checkpoint.open(folder)) {
      return new SafetyFilter(
          device.ops(), StableDiffusionSafetyChecker.load(config, weights, device.ops()));
    }
  }

  /** Whether the picture shows one of the checker's concepts. */
  public boolean flags(RgbImage picture) {
    int size = checker.config().imageSize();
    float[] pixels = prepare(picture, size);
    try (Tensor input = ops.upload(pixels, Shape.of(1, size, size, 3))) {
      return checker.check(input).flagged()[0];
    }
  }

  /** [size, size, 3], normalised. */
  static float[] prepare(RgbImage picture, int size) {
    double factor = (double) size / Math.min(picture.width(), picture.height());
    int width = Math.max(size, (int) (picture.width() * factor));
    int height = Math.max(size, (int) (picture.height() * factor));
    RgbImage small = BicubicResize.resize(picture, width, height);
    int left = (width - size) / 2;
    int top = (height - size) / 2;
    float[] pixels = new float[size * size * 3];
    for (int i = 0; i < pixels.length; i++) {
      int x = left + i / 3 % size;
      int y = top + i / 3 / size;
      int c = i % 3;
      float value = (small.rgb()[(y * width + x) * 3 + c] & 0xff) / 255f;
      pixels[i] = (value - MEAN[c]) / STD[c];
    }
    return pixels;
  }

  @Override
  public void close() {
    checker.close();
  }
}

package dev.tintype.perf.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.RgbImage;
import dev.tintype.sampler.pipeline.Sample;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Times whole pictures the way a worker makes them: text, steps, decoding, one batch after another.
 */
final class ImageBench {
  private static final int STEPS = 20;

  /** Batches per size: the first makes plans and graphs, the median of the others counts. */
  private static final int REPEATS = 5;

  private ImageBench() {}

  static boolean images(Device device, Path folder, int[] batches, long started, Results results) {
    boolean same = true;
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(folder, device, LoadOptions.defaults())) {
      results.root().put("load_s", (System.nanoTime() - started) / 1e9);
      int extent = pipeline.info().nativeWidth();
      for (int batch : batches) {
        ObjectNode row = results.root().withObject("/batches").withObject("/" + batch);
        List<double[]> runs = new ArrayList<>();
        byte[] first = null;
        for (int i = 0; i < REPEATS; i++) {
          byte[] pixels = run(pipeline, extent, batch, runs);
          if (!results.root().has("cold_start_s")) {
            results.root().put("cold_start_s", (System.nanoTime() - started) / 1e9);
          }
          // The same seeds, so the same bits: eagerly, recorded and replayed.
          same &= first == null || Arrays.equals(first, pixels);
          first = pixels;
          row.put(i == 0 ? "first_ms" : "last_ms", runs.getLast()[3]);
          row.put("bytes_held", device.bytesHeld());
          results.save();
        }
        String[] names = {"text_ms", "step_ms", "decode_ms", "image_ms"};
        for (int k = 0; k < names.length; k++) {
          int part = k;
          row.put(names[k], median(runs.stream().skip(1).mapToDouble(run -> run[part]).toArray()));
        }
        row.put("images_s", batch * 1000 / row.get("image_ms").asDouble());
        results.root().put("repeats_are_bit_equal", same);
        results.save();
        System.out.println("pictures in a batch of " + batch + ": " + row);
      }
    }
    System.out.println("the same seeds gave the same bits: " + same);
    return same;
  }

  /**
   * Milliseconds of: text of all, one step, decoding of all, everything. Gives the last picture.
   */
  private static byte[] run(
      DiffusionPipeline pipeline, int extent, int batch, List<double[]> runs) {
    List<Sample> samples = new ArrayList<>();
    try {
      long begun = System.nanoTime();
      for (int i = 0; i < batch; i++) {
        samples.add(
            pipeline.admit(
                Recipe.of("a lighthouse at dusk, oil painting", extent, extent, i)
                    .withSteps(STEPS)));
      }
      long encoded = System.nanoTime();
      double[] steps = new double[STEPS];
      for (int i = 0; i < STEPS; i++) {
        long step = System.nanoTime();
        pipeline.step(samples);
        steps[i] = (System.nanoTime() - step) / 1e6;
      }
      long denoised = System.nanoTime();
      RgbImage image = null;
      for (Sample sample : samples) {
        image = pipeline.decode(sample);
      }
      long done = System.nanoTime();
      runs.add(
          new double[] {
            (encoded - begun) / 1e6, median(steps), (done - denoised) / 1e6, (done - begun) / 1e6
          });
      return image.rgb();
    } finally {
      samples.forEach(Sample::close);
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}

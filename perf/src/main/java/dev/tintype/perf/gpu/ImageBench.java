package dev.tintype.perf.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.RgbImage;
import dev.tintype.sampler.pipeline.Sample;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
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

  /** Of a picture that is made to look at the memory: enough for a recorded step. */
  private static final int SOAK_STEPS = 4;

  /** Pictures after which plans, graphs and the JVM's own memory have settled. */
  private static final int SOAK_SETTLED = 10;

  /** What the process may grow by meanwhile: the JVM's heap and compiled code. */
  private static final long SOAK_HOST_BYTES_MAX = 256L << 20;

  private ImageBench() {}

  static boolean images(Device device, Path folder, int[] batches, long started, Results results) {
    boolean same = true;
    boolean sameInBatches = true;
    byte[] alone = null;
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(folder, device, LoadOptions.defaults())) {
      results.root().put("load_s", (System.nanoTime() - started) / 1e9);
      int extent = pipeline.info().nativeWidth();
      for (int batch : batches) {
        ObjectNode row = results.root().withObject("/batches").withObject("/" + batch);
        List<double[]> runs = new ArrayList<>();
        byte[] first = null;
        for (int i = 0; i < REPEATS; i++) {
          byte[] pixels = run(pipeline, extent, batch, STEPS, runs);
          if (!results.root().has("cold_start_s")) {
            results.root().put("cold_start_s", (System.nanoTime() - started) / 1e9);
          }
          // The same seeds, so the same bits: eagerly, recorded and replayed.
          same &= first == null || Arrays.equals(first, pixels);
          first = pixels;
          sameInBatches &= alone == null || Arrays.equals(alone, pixels);
          alone = alone == null ? pixels : alone;
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
        results.root().put("batches_are_bit_equal", sameInBatches);
        results.save();
        System.out.println("pictures in a batch of " + batch + ": " + row);
      }
    }
    System.out.println("the same seeds gave the same bits: " + same);
    System.out.println("alone and in a batch: " + sameInBatches);
    return same && (sameInBatches || !Boolean.getBoolean("tintype.bench.deterministic"));
  }

  /**
   * Pictures of changing batches, one after another; false when memory of the device or the host
   * grows after the first tenth.
   */
  static boolean soak(Device device, Path folder, int pictures, Results results) {
    long settledDevice = 0;
    long settledHost = 0;
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(folder, device, LoadOptions.defaults())) {
      int extent = pipeline.info().nativeWidth();
      int done = 0;
      for (int round = 0; done < pictures; round++) {
        int batch = Math.min(1 + round % 2, pictures - done);
        run(pipeline, extent, batch, SOAK_STEPS, new ArrayList<>());
        done += batch;
        if (done <= Math.max(SOAK_SETTLED, pictures / 10)) {
          settledDevice = device.bytesHeld();
          settledHost = residentBytes();
        }
        results
            .root()
            .put("pictures", done)
            .put("device_bytes_settled", settledDevice)
            .put("device_bytes", device.bytesHeld())
            .put("host_bytes_settled", settledHost)
            .put("host_bytes", residentBytes());
        results.save();
      }
    }
    System.out.println("soak: " + results.root());
    return results.root().get("device_bytes").asLong() <= settledDevice
        && results.root().get("host_bytes").asLong() <= settledHost + SOAK_HOST_BYTES_MAX;
  }

  /** What the process has in memory, the GPU's excepted; Linux. */
  private static long residentBytes() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Milliseconds of: text of all, one step, decoding of all, everything. Gives the first picture.
   */
  private static byte[] run(
      DiffusionPipeline pipeline, int extent, int batch, int stepCount, List<double[]> runs) {
    List<Sample> samples = new ArrayList<>();
    try {
      long begun = System.nanoTime();
      for (int i = 0; i < batch; i++) {
        samples.add(
            pipeline.admit(
                Recipe.of("a lighthouse at dusk, oil painting", extent, extent, i)
                    .withSteps(stepCount)));
      }
      long encoded = System.nanoTime();
      double[] steps = new double[stepCount];
      for (int i = 0; i < stepCount; i++) {
        long step = System.nanoTime();
        pipeline.stepAhead(samples);
        steps[i] = (System.nanoTime() - step) / 1e6;
      }
      long denoised = System.nanoTime();
      List<RgbImage> images = samples.stream().map(pipeline::decode).toList();
      long done = System.nanoTime();
      runs.add(
          new double[] {
            (encoded - begun) / 1e6, median(steps), (done - denoised) / 1e6, (done - begun) / 1e6
          });
      return images.getFirst().rgb();
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

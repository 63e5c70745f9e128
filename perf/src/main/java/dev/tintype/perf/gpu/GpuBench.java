package dev.tintype.perf.gpu;

import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.golden.GoldenRow;
import dev.tintype.sampler.golden.GoldenRunner;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * The Java side of perf/gpu/run:
 *
 * <pre>
 *   golden DIR PRECISION OUT.json          every golden case
 *   unet FOLDER PRECISION "1 4" OUT.json   ms per step with guidance, per batch of pictures
 *   vae FOLDER PRECISION "512 1024" OUT.json   ms per decode, per size
 *   text FOLDER PRECISION 1 OUT.json       a text encoder, only compared
 *   image FOLDER PRECISION "1 4" OUT.json  whole pictures through the pipeline, per batch
 *   soak FOLDER PRECISION 1000 OUT.json    that many pictures of few steps: memory must stay flat
 *   profile FOLDER PRECISION 1 OUT.txt     where a UNet's time goes, per verb and shape
 * </pre>
 *
 * A FOLDER has config.json (image: a whole pipeline); with weights in it these are used, else
 * random ones; with parity.safetensors in it the results are compared. Numbers are written as soon
 * as they are known. Exit 1 when a result was wrong or a step could not be recorded as a graph, 4
 * when there was none. Another device than the GPU, to try the program itself:
 * -Dtintype.bench.device=reference. One whose pictures do not depend on their batch:
 * -Dtintype.bench.deterministic=true.
 */
public final class GpuBench {
  /** Exit code when a number could not be had at all. */
  private static final int ERROR = 4;

  private GpuBench() {}

  public static void main(String[] arguments) {
    long started = System.nanoTime();
    if (arguments.length < 4) {
      System.err.println(
          "usage: golden|unet|vae|text|image|soak|profile FOLDER fp32|fp16|bf16 [WHAT] OUT");
      System.exit(2);
    }
    Path folder = Path.of(arguments[1]);
    Precision precision = Precision.valueOf(arguments[2].toUpperCase(Locale.ROOT));
    Path out = Path.of(arguments[arguments.length - 1]);
    Results results = Results.to(out);
    boolean passed;
    try (Device device =
        Devices.open(
            System.getProperty("tintype.bench.device", "cuda"),
            DeviceOptions.defaults()
                .withPrecision(precision)
                .withDeterministic(Boolean.getBoolean("tintype.bench.deterministic")))) {
      System.out.println(device.name() + ": " + device.description());
      results.root().put("device", device.description());
      passed =
          switch (arguments[0]) {
            case "golden" -> golden(device, folder, results);
            case "unet" ->
                NetworkBench.unet(device, folder, numbers(arguments[3]), started, results);
            case "vae" -> NetworkBench.vae(device, folder, numbers(arguments[3]), results);
            case "text" -> NetworkBench.text(device, folder, results);
            case "soak" -> ImageBench.soak(device, folder, numbers(arguments[3])[0], results);
            case "image" ->
                ImageBench.images(device, folder, numbers(arguments[3]), started, results);
            case "profile" -> NetworkBench.profile(device, folder, numbers(arguments[3])[0], out);
            default -> throw new IllegalArgumentException("unknown: " + arguments[0]);
          };
      if (!arguments[0].equals("profile")) {
        results.save();
      }
    } catch (SamplerException e) {
      System.err.println(e.code() + ": " + e.getMessage());
      System.exit(ERROR);
      return;
    } catch (RuntimeException e) {
      e.printStackTrace();
      System.exit(ERROR);
      return;
    }
    System.exit(passed ? 0 : 1);
  }

  private static int[] numbers(String words) {
    return Arrays.stream(words.trim().split("\\s+")).mapToInt(Integer::parseInt).toArray();
  }

  private static boolean golden(Device device, Path folder, Results results) {
    System.out.println(GoldenRow.header());
    int[] counts = new int[2];
    new GoldenRunner(folder, device)
        .run(
            row -> {
              System.out.println(row.line());
              counts[row.passed() ? 0 : 1]++;
              results
                  .root()
                  .put("passed", counts[0])
                  .put("failed", counts[1])
                  .withObject("/cases")
                  .withObject("/" + row.name())
                  .put("tensor", row.tensor())
                  .put("max_abs_error", row.maxAbsError())
                  .put("tolerance", row.tolerance())
                  .put("cosine", row.cosine())
                  .put("passed", row.passed())
                  .put("ms", row.milliseconds());
              results.save();
            });
    System.out.println(counts[0] + " passed, " + counts[1] + " failed");
    return counts[1] == 0;
  }
}

package dev.tintype.perf.gpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.golden.GoldenRow;
import dev.tintype.sampler.golden.GoldenRunner;
import java.io.IOException;
import java.nio.file.Files;
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
 * </pre>
 *
 * A FOLDER has config.json; with weights in it these are used, else random ones; with
 * parity.safetensors in it the results are compared. Exit 1 when anything failed. Another device
 * than the GPU, to try the program itself: -Dtintype.bench.device=reference.
 */
public final class GpuBench {
  static final ObjectMapper JSON = new ObjectMapper();

  private GpuBench() {}

  public static void main(String[] arguments) throws IOException {
    long started = System.nanoTime();
    if (arguments.length < 4) {
      System.err.println("usage: golden|unet|vae FOLDER fp32|fp16|bf16 [WHAT] OUT.json");
      System.exit(2);
    }
    Path folder = Path.of(arguments[1]);
    Precision precision = Precision.valueOf(arguments[2].toUpperCase(Locale.ROOT));
    Path out = Path.of(arguments[arguments.length - 1]);
    boolean passed;
    ObjectNode result = JSON.createObjectNode();
    try (Device device =
        Devices.open(
            System.getProperty("tintype.bench.device", "cuda"),
            DeviceOptions.defaults().withPrecision(precision))) {
      System.out.println(device.name() + ": " + device.description());
      result.put("device", device.description());
      passed =
          switch (arguments[0]) {
            case "golden" -> golden(device, folder, result);
            case "unet" ->
                NetworkBench.unet(device, folder, numbers(arguments[3]), started, result);
            case "vae" -> NetworkBench.vae(device, folder, numbers(arguments[3]), result);
            default -> throw new IllegalArgumentException("unknown: " + arguments[0]);
          };
    } catch (DeviceException e) {
      System.err.println(e.code() + ": " + e.getMessage());
      System.exit(1);
      return;
    }
    Files.writeString(out, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(result));
    System.exit(passed ? 0 : 1);
  }

  private static int[] numbers(String words) {
    return Arrays.stream(words.trim().split("\\s+")).mapToInt(Integer::parseInt).toArray();
  }

  private static boolean golden(Device device, Path folder, ObjectNode result) {
    System.out.println(GoldenRow.header());
    int passed = 0;
    int failed = 0;
    for (GoldenRow row :
        new GoldenRunner(folder, device).run(row -> System.out.println(row.line()))) {
      passed += row.passed() ? 1 : 0;
      failed += row.passed() ? 0 : 1;
      result
          .withObject("/cases")
          .withObject("/" + row.name())
          .put("max_abs_error", row.maxAbsError())
          .put("tolerance", row.tolerance())
          .put("cosine", row.cosine())
          .put("passed", row.passed())
          .put("ms", row.milliseconds());
    }
    result.put("passed", passed).put("failed", failed);
    System.out.println(passed + " passed, " + failed + " failed");
    return failed == 0;
  }
}

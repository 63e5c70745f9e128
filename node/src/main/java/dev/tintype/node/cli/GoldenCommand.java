package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.node.Logs;
import dev.tintype.node.NodeException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.golden.GoldenRow;
import dev.tintype.sampler.golden.GoldenRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Holds the engine to vectors that diffusers made. */
@Command(
    name = "golden",
    description = "Runs golden cases and prints how far the engine is from diffusers.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit code 1 on any FAIL. The form of a folder: sampler-ffm/src/test/golden/README.md",
      "",
      "Examples:",
      "  tintype golden sampler-ffm/src/test/golden",
      "  tintype golden sampler-ffm/src/test/golden --device reference --json",
      "  tintype golden sampler-ffm/src/test/golden --device cpu --dtype bf16"
    })
final class GoldenCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "Folder with cases/ and models/.")
  Path folder;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or reference (default ${DEFAULT-VALUE}).")
  String device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "fp32",
      description =
          "fp32, fp16 or bf16, where the device has it (default ${DEFAULT-VALUE}). The 16-bit types"
              + " have 200 times the tolerance.")
  String dtype;

  @Option(names = "--json", description = "One JSON object per case.")
  boolean json;

  @Override
  public Integer call() {
    Logs.console(Level.WARNING);
    if (!Files.isDirectory(folder.resolve("cases"))) {
      throw new NodeException.Config(
          "golden.folder", folder + " has no folder cases; it is not a folder of golden vectors.");
    }
    Precision precision = precision(dtype);
    try (Device opened = Devices.open(device, DeviceOptions.defaults().withPrecision(precision))) {
      if (!json) {
        System.out.println(opened.description());
        System.out.println(GoldenRow.header());
      }
      List<GoldenRow> rows = new GoldenRunner(folder, opened).run(this::print);
      long passed = rows.stream().filter(GoldenRow::passed).count();
      if (!json) {
        System.out.println(passed + " passed, " + (rows.size() - passed) + " failed");
      }
      return passed == rows.size() ? 0 : Tintype.FAILED;
    }
  }

  private static Precision precision(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "fp32" -> Precision.FP32;
      case "fp16" -> Precision.FP16;
      case "bf16" -> Precision.BF16;
      default ->
          throw new NodeException.Config(
              "golden.dtype", "--dtype is fp32, fp16 or bf16; found " + name);
    };
  }

  private void print(GoldenRow row) {
    if (!json) {
      System.out.println(row.line());
      return;
    }
    ObjectNode node = ApiClient.object();
    node.put("kind", row.kind()).put("name", row.name());
    // JSON has no NaN: what was not compared is null.
    put(node, "max_abs_error", row.maxAbsError());
    put(node, "mean_abs_error", row.meanAbsError());
    put(node, "cosine", row.cosine());
    put(node, "tolerance", row.tolerance());
    node.put("result", row.passed() ? "PASS" : "FAIL");
    put(node, "ms", row.milliseconds());
    node.put("note", row.note());
    System.out.println(node);
  }

  private static void put(ObjectNode node, String field, double value) {
    if (Double.isFinite(value)) {
      node.put(field, value);
    } else {
      node.putNull(field);
    }
  }
}

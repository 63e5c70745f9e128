package dev.tintype.perf.edge;

import dev.tintype.node.NodeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether the encoder's memory stays flat over many conversions. The heap of the process is taken
 * whole at its start, so that what grows is native.
 *
 * @param conversions how many
 * @param warmMib resident after the warm-up, the highest of a tenth of the run
 * @param endMib resident in the end, the highest of the last tenth
 * @param peakMib the highest of all
 * @param seconds how long it took
 */
record Soak(int conversions, long warmMib, long endMib, long peakMib, double seconds) {
  /**
   * Growth that is no leak: the allocator's own scatter. Measured: 2 MiB up and down, and none in
   * the end, over 100,000 conversions.
   */
  static final long GROWTH_MIB_MAX = 24;

  /** Share of the run until everything has been used once, in tenths. */
  private static final int WARM_TENTHS = 3;

  private static final long KIB_PER_MIB = 1024;

  /**
   * Runs it in a process of its own.
   *
   * @param conversions at least 1,000
   * @param secondsMax after which the process is stopped
   */
  static Soak run(int conversions, int secondsMax) throws IOException {
    Path errors = Files.createTempFile("tintype-soak", ".log");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command(conversions)).redirectError(errors.toFile());
      builder.environment().put("MALLOC_ARENA_MAX", "2");
      long start = System.nanoTime();
      Process process = builder.start();
      List<Long> kib = new ArrayList<>();
      BufferedReader lines = process.inputReader();
      try (Programs.Watch _ = Programs.watch(process, secondsMax)) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          kib.add(Long.parseLong(line.split(" ")[1]));
        }
      } finally {
        Programs.stop(process);
      }
      if (kib.size() < 100) {
        throw new NodeException.Start(
            "bench.program",
            "The soak ended early or took more than "
                + secondsMax
                + " s: "
                + Files.readString(errors).strip());
      }
      return of(conversions, kib, (System.nanoTime() - start) / 1e9);
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  private static Soak of(int conversions, List<Long> kib, double seconds) {
    int tenth = kib.size() / 10;
    int warm = tenth * WARM_TENTHS;
    return new Soak(
        conversions,
        highest(kib.subList(warm, warm + tenth)),
        highest(kib.subList(kib.size() - tenth, kib.size())),
        highest(kib),
        seconds);
  }

  private static long highest(List<Long> kib) {
    return kib.stream().mapToLong(Long::longValue).max().orElseThrow() / KIB_PER_MIB;
  }

  private static List<String> command(int conversions) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-Xms96m",
        "-Xmx96m",
        "-XX:+AlwaysPreTouch",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        SoakChild.class.getName(),
        Integer.toString(conversions));
  }

  /** Whether it stayed within {@link #GROWTH_MIB_MAX}. */
  boolean flat() {
    return endMib - warmMib <= GROWTH_MIB_MAX;
  }
}

package dev.tintype.perf.edge;

import dev.tintype.node.NodeException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Load by wrk: one thread, connections kept open, one request on each at a time.
 *
 * @param rps answers a second
 * @param p99Ms 99th percentile of the answers' time, ms
 * @param cpuUs processor time of the server for one answer, microseconds
 */
record Wrk(double rps, double p99Ms, double cpuUs) {
  private static final Pattern RATE = Pattern.compile("Requests/sec:\\s+([\\d.]+)");
  private static final Pattern COUNT = Pattern.compile("(\\d+) requests in ");
  private static final Pattern P99 = Pattern.compile("99%\\s+([\\d.]+)(us|ms|s)");

  /**
   * Runs it once.
   *
   * @param server whose processor time is counted
   * @param seconds how long
   */
  static Wrk run(String url, ProcessHandle server, int connections, int seconds) {
    long before = Programs.cpuNs(server);
    String said =
        Programs.output(
            List.of(
                Programs.find("wrk").orElseThrow().toString(),
                "-t1",
                "-c" + connections,
                "-d" + seconds + "s",
                "--latency",
                "-H",
                "Accept: image/avif,image/webp,image/apng,image/*,*/*;q=0.8",
                url));
    long cpuNs = Programs.cpuNs(server) - before;
    if (said.contains("Non-2xx") || said.contains("Socket errors")) {
      throw new NodeException.Start("bench.program", "wrk found errors:\n" + said);
    }
    double count = number(COUNT, said);
    return new Wrk(number(RATE, said), p99Ms(said), cpuNs / count / 1e3);
  }

  private static double p99Ms(String said) {
    Matcher matcher = P99.matcher(said);
    if (!matcher.find()) {
      return Double.NaN;
    }
    double value = Double.parseDouble(matcher.group(1));
    return switch (matcher.group(2)) {
      case "us" -> value / 1e3;
      case "s" -> value * 1e3;
      default -> value;
    };
  }

  private static double number(Pattern pattern, String said) {
    Matcher matcher = pattern.matcher(said);
    if (!matcher.find()) {
      throw new NodeException.Start("bench.program", "wrk says what nobody understands:\n" + said);
    }
    return Double.parseDouble(matcher.group(1));
  }
}

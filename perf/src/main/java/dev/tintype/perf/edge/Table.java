package dev.tintype.perf.edge;

import java.io.PrintStream;
import java.util.List;

/** The results as people read them. */
final class Table {
  private Table() {}

  static void print(PrintStream out, List<Hits.Row> hits, List<Misses.Row> misses, Crowd crowd) {
    out.println();
    out.println(
        "cached variant      bytes   edge/s  nginx/s   ratio   CPU us: edge  nginx"
            + "   p99 ms: edge  nginx");
    for (Hits.Row row : hits) {
      out.printf(
          "%-16s %8d %8.0f %8.0f %7.2f %14.1f %6.1f %14.2f %6.2f%n",
          row.name(),
          row.bytes(),
          row.edgeRps(),
          row.nginxRps(),
          row.ratio(),
          row.edgeCpuUs(),
          row.nginxCpuUs(),
          row.edgeP99Ms(),
          row.nginxP99Ms());
    }
    out.println();
    out.println(
        "1024 -> 512 px   over HTTP, ms: edge   sharp  ratio   direct, ms: edge   sharp  ratio"
            + "   bytes: edge   sharp");
    for (Misses.Row row : misses) {
      out.printf(
          "%-16s %20.1f %7.1f %6.2f %18.1f %7.1f %6.2f %13d %7d%n",
          row.format().extension(),
          row.httpMs(),
          row.sharpHttpMs(),
          row.httpRatio(),
          row.directMs(),
          row.sharpMs(),
          row.directRatio(),
          row.bytes(),
          row.sharpBytes());
    }
    out.println();
    out.printf(
        "%d clients for one cold variant: encoded %d times, %d waited for it, %d came later; %.0f"
            + " ms%n",
        crowd.clients(), crowd.encodes(), crowd.collapsed(), crowd.hits(), crowd.tookMs());
    out.println();
  }
}

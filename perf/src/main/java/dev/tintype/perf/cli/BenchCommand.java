package dev.tintype.perf.cli;

import dev.tintype.perf.edge.EdgeBench;
import dev.tintype.perf.edge.QualityBench;
import dev.tintype.perf.queue.QueueBench;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The root of the measurements that run beside a peer; each is a subcommand of its own. */
@Command(
    name = "bench",
    description = "Measures a part of Tintype beside a peer, in one run on this machine.",
    mixinStandardHelpOptions = true,
    subcommands = {
      EdgeBench.class,
      QualityBench.class,
      QueueBench.class,
    })
public final class BenchCommand implements Runnable {
  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }
}

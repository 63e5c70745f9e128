package dev.tintype.perf.chaos;

import dev.tintype.node.Logs;
import dev.tintype.node.NodeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Level;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tintype chaos}. */
@Command(
    name = "chaos",
    description = {
      "Kills, pauses and cuts off real processes under load, and checks that nothing accepted is"
          + " lost, doubled or changed.",
      "",
      "alone: one process with every role. apart: a gateway, two workers and a database, each"
          + " connection through a line of ours that can be slow, narrow, silent or reset.",
      "fleet: two gateways, two relays, two workers and an edge over Kafka, Redis, S3 and"
          + " PostgreSQL, all of which are killed and cut off. Takes about 3 GB of memory."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "The last line is JSON. The exit code is 1 where a promise was broken; then the folder with"
          + " logs and data is kept. The same seed plans the same faults.",
      "",
      "Examples:",
      "  tintype chaos --seconds 60 --seed 7",
      "  tintype chaos --mode apart --seconds 300",
      "  tintype chaos --mode fleet --seconds 60"
    })
public final class ChaosCommand implements Callable<Integer> {
  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "60",
      description = "How long faults happen; the drain and the check come after (default 60).")
  private int seconds;

  @Option(names = "--seed", paramLabel = "N", description = "Of plan and load (default: drawn).")
  private Long seed;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "alone",
      description = "alone, apart or fleet (default alone).")
  private String mode;

  @Option(
      names = "--clients",
      paramLabel = "N",
      defaultValue = "4",
      description = "Threads that submit, cancel and look (default 4).")
  private int clients;

  @Option(
      names = "--open",
      paramLabel = "N",
      defaultValue = "16",
      description = "Most jobs under way at a time (default 16).")
  private int open;

  @Option(
      names = "--drain",
      paramLabel = "N",
      defaultValue = "180",
      description = "Seconds in which all must have ended after the last fault (default 180).")
  private int drain;

  @Option(names = "--json", description = "Nothing but the last line.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException, IOException {
    Logs.console(Level.WARNING);
    Path folder = Files.createTempDirectory("tintype-chaos-");
    boolean kept = false;
    try {
      Verdict verdict = new ChaosRun(config(folder), this::tell).run();
      kept = verdict.kept();
      verdict
          .history()
          .violations()
          .forEach(one -> System.err.println("chaos: BROKEN " + one.promise() + ": " + one.text()));
      if (!kept) {
        System.err.println("chaos: replay with --seed " + verdict.config().seed());
        System.err.println("chaos: logs and data are in " + folder);
      }
      System.out.println(verdict.json());
      return kept ? 0 : 1;
    } catch (NodeException.Config e) {
      kept = true;
      throw e;
    } finally {
      if (kept) {
        delete(folder);
      }
    }
  }

  private ChaosConfig config(Path folder) {
    return new ChaosConfig(
        Duration.ofSeconds(seconds),
        Optional.ofNullable(seed).orElseGet(() -> ThreadLocalRandom.current().nextLong(1_000_000)),
        mode(),
        clients,
        open,
        Duration.ofSeconds(drain),
        folder);
  }

  private ChaosConfig.Mode mode() {
    return Arrays.stream(ChaosConfig.Mode.values())
        .filter(one -> one.name().toLowerCase(Locale.ROOT).equals(mode))
        .findFirst()
        .orElseThrow(
            () ->
                new NodeException.Config(
                    "chaos.mode",
                    "There is no mode \""
                        + mode
                        + "\"; choose from "
                        + Arrays.stream(ChaosConfig.Mode.values())
                            .map(one -> one.name().toLowerCase(Locale.ROOT))
                            .collect(Collectors.joining(", "))
                        + "."));
  }

  private void tell(String what) {
    if (!json) {
      System.err.println("chaos: " + what);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
      for (Path each : deepestFirst) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

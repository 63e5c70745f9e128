package dev.tintype.perf.simulate;

import dev.tintype.node.cli.Tintype;
import dev.tintype.perf.simulate.Scenario.Faults;
import dev.tintype.perf.simulate.Scenario.Order;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.DoubleConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A fleet's queue on virtual time. */
@Command(
    name = "simulate",
    description =
        "Runs the real scheduling policy, relay, transport and admission on virtual time, against"
            + " bursts, lost GPUs, silent workers, lost and doubled deliveries.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "The same seed is the same history. Exit code 1 when a promise was broken: a job lost, a",
      "result doubled, or a wait above its tier's bound while at least 80 % of the GPUs were"
          + " there.",
      "",
      "Examples:",
      "  tintype simulate",
      "  tintype simulate --seed 7 --hours 24 --gpus 2000 --rate 400",
      "  tintype simulate --gpus 100 --rate 40 --compare       # overload, beside FIFO and strict",
      "  tintype simulate --gpus 100 --rate 40 --relax 0.3",
      "  tintype simulate --faults rough --json"
    })
public final class SimulateCommand implements Callable<Integer> {
  /** What goes wrong, by name. */
  enum Weather {
    NONE(Faults.NONE),
    USUAL(Faults.USUAL),
    ROUGH(Faults.ROUGH);

    private final Faults faults;

    Weather(Faults faults) {
      this.faults = faults;
    }
  }

  @Option(names = "--seed", defaultValue = "1", description = "Default ${DEFAULT-VALUE}.")
  long seed;

  @Option(
      names = "--hours",
      defaultValue = "1",
      description = "Virtual hours of arrivals (default ${DEFAULT-VALUE}).")
  double hours;

  @Option(names = "--gpus", defaultValue = "500", description = "Default ${DEFAULT-VALUE}.")
  int gpus;

  @Option(
      names = "--rate",
      defaultValue = "100",
      description =
          "Jobs a second, bursts aside (default ${DEFAULT-VALUE}); a job takes 4.2 s of a GPU on"
              + " average.")
  double rate;

  @Option(
      names = "--faults",
      defaultValue = "usual",
      description = "none, usual or rough (default ${DEFAULT-VALUE}).")
  Weather weather;

  @Option(
      names = "--relax",
      defaultValue = "0",
      description = "Part of the jobs in mode relax, 0 to 1 (default ${DEFAULT-VALUE}).")
  double relax;

  @Option(
      names = "--pool",
      paramLabel = "TIER=GPUS",
      description =
          "So many of the GPUs are that tier's own; with a + at the end it may use the others too.")
  String pool;

  @Option(names = "--compare", description = "Also first-in-first-out and strict priority.")
  boolean compare;

  @Option(names = "--json", description = "The last line is one JSON object.")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    Logger.getLogger("dev.tintype.queue")
        .setLevel(Level.SEVERE); // Lapses are the daily bread here.
    Scenario scenario;
    try {
      scenario =
          new Scenario(
              seed,
              hours,
              gpus,
              rate,
              weather.faults,
              Order.FAIR,
              relax,
              Optional.ofNullable(pool).map(Scenario.Pool::parse));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    Outcome ours = run(scenario);
    if (compare) {
      for (Order order : List.of(Order.FIFO, Order.STRICT)) {
        run(scenario.withOrder(order));
      }
    }
    if (!ours.good()) {
      System.out.printf("A promise was broken; tintype simulate --seed %d replays it%n", seed);
    }
    if (json) {
      System.out.println(ours.json());
    }
    return ours.good() ? 0 : Tintype.FAILED;
  }

  private Outcome run(Scenario scenario) {
    String name = scenario.order().name().toLowerCase(Locale.ROOT);
    long began = System.nanoTime();
    Outcome outcome = new Simulation(scenario).run(progress(name));
    System.out.printf(
        Locale.ROOT,
        "%s: %d GPUs, %.0f jobs/s, %.1f h, seed %d, faults %s (%.1f s)%n%s%n",
        name,
        gpus,
        rate,
        hours,
        seed,
        weather.name().toLowerCase(Locale.ROOT),
        (System.nanoTime() - began) / 1e9,
        outcome.table());
    return outcome;
  }

  private static DoubleConsumer progress(String name) {
    boolean terminal = System.getenv("TINTYPE_TTY") != null;
    return part -> {
      if (terminal) {
        System.err.printf(
            "\r\033[K%s", part >= 1 ? "" : "  " + name + " " + Math.round(part * 100) + " %");
      }
    };
  }
}

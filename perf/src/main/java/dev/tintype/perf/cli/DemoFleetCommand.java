package dev.tintype.perf.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.perf.fleet.Fleet;
import dev.tintype.perf.fleet.FleetJob;
import dev.tintype.perf.fleet.FleetPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A whole fleet on this machine. */
@Command(
    name = "demo-fleet",
    description = {
      "Starts PostgreSQL, Kafka, Redis and S3, and two gateways, three workers, two relays and an"
          + " edge, each a process of its own; runs a job through each gateway; stays until"
          + " Ctrl-C.",
      "Takes about 3 GB of memory. Nothing has to be installed."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  tintype demo-fleet", "  tintype demo-fleet --once --json"})
final class DemoFleetCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Databases, settings and logs (default: ${DEFAULT-VALUE}).")
  Path data = Path.of("data", "demo-fleet");

  @Option(
      names = "--once",
      description = "Run one job through each gateway and stop; 0 if all is well.")
  boolean once;

  @Option(names = "--json", description = "One JSON object per line.")
  boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Thread asked = Thread.currentThread();
    Thread hook =
        new Thread(
            () -> {
              stop.countDown();
              asked.interrupt();
              try {
                stopped.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    Path home = Path.of(System.getProperty("tintype.home", "."));
    try (Fleet fleet = new Fleet(FleetPlan.standard(data, home))) {
      fleet.start(this::tell);
      boolean good = jobs(fleet);
      if (!once) {
        tell("ready", String.join(" ", fleet.gateways()) + "  key " + fleet.apiKey());
        tell("logs", data.resolve("logs").toAbsolutePath() + "; Ctrl-C stops everything");
        stop.await();
      }
      return good ? 0 : 1;
    } catch (InterruptedException e) {
      return 0;
    } finally {
      Thread.interrupted();
      stopped.countDown();
    }
  }

  private boolean jobs(Fleet fleet) throws IOException, InterruptedException {
    boolean good = true;
    for (String gateway : fleet.gateways()) {
      FleetJob.Result result =
          FleetJob.run(
              gateway,
              fleet.apiKey(),
              "a red sun over snowy mountains, watercolor --seed 7",
              event -> tell("event", event));
      good &= result.good();
      if (json) {
        ObjectNode line =
            JSON.createObjectNode()
                .put("job", result.id())
                .put("gateway", gateway)
                .put("state", result.state())
                .put("bytes", result.bytes())
                .put("took_ms", result.tookMs());
        System.out.println(line);
      } else {
        System.out.printf(
            "  %-10s %s through %s in %.1f s: %d bytes at %s%n",
            "job", result.state(), gateway, result.tookMs() / 1e3, result.bytes(), result.url());
      }
    }
    return good;
  }

  private void tell(String name, String found) {
    if (json) {
      System.out.println(JSON.createObjectNode().put("part", name).put("found", found));
    } else {
      System.out.printf("  %-10s %s%n", name, found);
    }
    System.out.flush();
  }
}

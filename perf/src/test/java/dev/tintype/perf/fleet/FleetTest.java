package dev.tintype.perf.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.perf.fleet.FleetJob.Result;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes over real Kafka, Redis, PostgreSQL and S3. Each of them in turn is killed with -9;
 * a job is accepted while it is dead, and succeeds when it is back.
 */
@Tag("slow")
@Timeout(600)
class FleetTest {
  private static final String PROMPT = "a sailing boat at sunset --steps 4 --seed ";

  @TempDir Path folder;

  @Test
  void whatIsAcceptedWhileAPartIsDeadSucceedsWhenItIsBack() throws Exception {
    Path home = Path.of("").toAbsolutePath().getParent();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        Fleet fleet = new Fleet(new FleetPlan(folder, home, 1, 1, 1, 1))) {
      fleet.start((name, where) -> System.out.println("fleet: " + name + " " + where));
      int seed = 0;
      assertThat(job(fleet, threads, seed++).get(120, TimeUnit.SECONDS).good()).isTrue();
      for (String part : List.of("redis", "relay-1", "worker-1", "kafka", "s3", "edge-1")) {
        fleet.process(part).kill();
        Future<Result> job = job(fleet, threads, seed++);
        fleet.process(part).start().awaitReady();
        Result result = job.get(170, TimeUnit.SECONDS);
        assertThat(result.good()).as("%s while %s was dead", result, part).isTrue();
      }
    }
  }

  private static Future<Result> job(Fleet fleet, ExecutorService threads, int seed) {
    return threads.submit(
        () ->
            FleetJob.run(fleet.gateways().getFirst(), fleet.apiKey(), PROMPT + seed, event -> {}));
  }
}

package dev.tintype.perf.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.node.NodeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(180)
class LoadTest {
  @TempDir Path folder;

  @Test
  void percentilesAreThoseOfTheTimes() {
    long[] times = LongStream.rangeClosed(1, 100).map(ms -> ms * 1_000_000).toArray();
    Load load = Load.of(times, 4);
    assertThat(load.perSecond()).isEqualTo(25);
    assertThat(load.p50Ms()).isEqualTo(51);
    assertThat(load.p99Ms()).isEqualTo(100);
    assertThatThrownBy(() -> Load.of(new long[0], 1)).isInstanceOf(NodeException.class);
  }

  @Test
  void aFailedOperationEndsTheMeasurement() {
    AtomicLong done = new AtomicLong();
    assertThatThrownBy(
            () ->
                Load.run(
                    2,
                    Duration.ofSeconds(5),
                    client ->
                        number -> {
                          if (done.incrementAndGet() > 10) {
                            throw new IllegalStateException("broken");
                          }
                        }))
        .hasMessage("broken");
  }

  /** Every stage, against a real database; how fast is not the question here. */
  @Test
  @Tag("slow")
  void theWholeBenchmarkRuns() throws Exception {
    Path saved = folder.resolve("queue.json");
    int code =
        new CommandLine(new QueueBench())
            .execute("--seconds", "1", "--clients", "4", "--json", "--save", saved.toString());
    assertThat(code).isBetween(0, 1);
    JsonNode result = new ObjectMapper().readTree(Files.readString(saved));
    assertThat(result.path("stages")).hasSize(7);
    result.path("stages").forEach(stage -> assertThat(stage.path("per_s").asDouble()).isPositive());
    assertThat(result.path("dispatch_p50_ms").asDouble()).isPositive();
  }
}

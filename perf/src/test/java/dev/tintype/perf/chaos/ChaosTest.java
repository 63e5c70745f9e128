package dev.tintype.perf.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Short runs against real processes; longer ones by {@code tintype chaos}. */
@Tag("slow")
@Timeout(400)
class ChaosTest {
  private static final long SEED = 3;

  @TempDir Path folder;

  @Test
  void nothingAcceptedIsLostDoubledOrChanged() throws InterruptedException {
    check(ChaosConfig.Mode.ALONE);
  }

  @Test
  void norByAFleetWhoseServersAreKilledToo() throws InterruptedException {
    check(ChaosConfig.Mode.FLEET);
  }

  private void check(ChaosConfig.Mode mode) throws InterruptedException {
    System.setProperty("tintype.home", Path.of("").toAbsolutePath().getParent().toString());
    ChaosConfig config =
        new ChaosConfig(Duration.ofSeconds(20), SEED, mode, 3, 6, Duration.ofSeconds(240), folder);
    Verdict verdict = new ChaosRun(config, line -> System.out.println("chaos: " + line)).run();
    assertThat(verdict.history().violations()).isEmpty();
    assertThat(verdict.json().path("accepted").asInt()).isPositive();
    assertThat(verdict.json().path("succeeded").asInt()).isPositive();
    assertThat(verdict.json().path("kills").asInt()).isPositive();
  }
}

package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.http.EdgeRoutes;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.gateway.admin.PicturesAdmin;
import dev.tintype.queue.ephemera.InProcessEphemera;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An edge hears of removed pictures, also of those that were removed while it was away. */
class EdgePurgesTest {
  private static final SigningKeys KEYS = SigningKeys.parse("k1:000102030405060708090a0b0c0d0e0f");
  private static final String EARLIER = "ab".repeat(32);
  private static final String NOW = "cd".repeat(32);

  @TempDir Path folder;

  @Test
  void bothAreRefused() {
    try (InProcessEphemera shared = new InProcessEphemera(Clock.systemUTC());
        EdgeRoutes edge =
            new EdgeRoutes(
                EdgeConfig.of(KEYS, folder), asked -> Optional.empty(), Clock.systemUTC())) {
      shared.put(PicturesAdmin.FOLDER + EARLIER, new byte[] {1}, Duration.ofDays(1));
      try (EdgePurges purges = new EdgePurges(edge, shared).start()) {
        until(edge, EARLIER);
        assertThat(edge.purged(NOW)).isFalse();
        shared.publish(PicturesAdmin.TOPIC, "no digest".getBytes(StandardCharsets.US_ASCII));
        shared.publish(PicturesAdmin.TOPIC, NOW.getBytes(StandardCharsets.US_ASCII));
        until(edge, NOW);
        assertThat(purges).isNotNull();
      }
    }
  }

  private static void until(EdgeRoutes edge, String sha256) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!edge.purged(sha256)) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.onSpinWait();
    }
  }
}

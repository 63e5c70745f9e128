package dev.tintype.edge.variant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.SigningKeys;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PurgesTest {
  private static final String SLOW = "aa".repeat(32);
  private static final String QUICK = "bb".repeat(32);

  /** A store that holds up the clearing of one original. */
  private static final class HoldsUpOne implements SharedVariants {
    private final CountDownLatch gate = new CountDownLatch(1);
    private final List<String> forgotten = new CopyOnWriteArrayList<>();

    @Override
    public Optional<byte[]> get(String sha256, String id) {
      return Optional.empty();
    }

    @Override
    public void put(String sha256, String id, ImageFormat format, byte[] bytes) {}

    @Override
    public void forget(String sha256) throws IOException {
      forgotten.add(sha256);
      try {
        if (sha256.equals(SLOW) && !gate.await(60, TimeUnit.SECONDS)) {
          throw new IOException("the test never let go");
        }
      } catch (InterruptedException e) {
        throw new IOException("interrupted", e);
      }
    }
  }

  @Test
  void oneThatTheStoreHoldsUpDelaysNoOtherAndRunsOnce(@TempDir Path folder) throws Exception {
    HoldsUpOne store = new HoldsUpOne();
    EdgeConfig config =
        EdgeConfig.of(SigningKeys.parse("k1:000102030405060708090a0b0c0d0e0f"), folder);
    try (VariantService edge =
        new VariantService(config, asked -> Optional.empty(), store, Clock.systemUTC())) {
      CompletableFuture<Void> slow = edge.purge(SLOW);
      CompletableFuture<Void> again = edge.purge(SLOW);
      edge.purge(QUICK).get(60, TimeUnit.SECONDS);
      assertThat(slow).isNotDone();
      assertThat(again).isNotDone();
      assertThat(edge.purged(SLOW)).as("refused from the first moment").isTrue();
      store.gate.countDown();
      slow.get(60, TimeUnit.SECONDS);
      again.get(60, TimeUnit.SECONDS);
      assertThat(store.forgotten).containsExactlyInAnyOrder(SLOW, QUICK);
    }
  }
}

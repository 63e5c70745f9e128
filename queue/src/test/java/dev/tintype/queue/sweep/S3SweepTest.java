package dev.tintype.queue.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.S3BlobStore;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.blob.S3DerivedStore;
import dev.tintype.queue.job.Sha256;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.S3Server;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class S3SweepTest extends SweepContract {
  private static final AtomicInteger RUNS = new AtomicInteger();
  @TempDir static Path folder;
  private static ChildProcess server;
  private static URI endpoint;
  private S3BlobStore opened;

  @BeforeAll
  static void startServer() {
    int port = FreePorts.one();
    endpoint = URI.create("http://127.0.0.1:" + port);
    server = S3Server.of("s3", folder, port, "pictures", "for tests only").start().awaitReady();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  BlobStore open() {
    opened = new S3BlobStore(config());
    return opened;
  }

  private static S3Config config() {
    return new S3Config(
        Optional.of(endpoint),
        "us-east-1",
        "pictures",
        "run" + RUNS.incrementAndGet() + "/",
        Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, "for tests only")),
        Duration.ofSeconds(20));
  }

  @Test
  void oldVariantsGoAndYoungOnesStay() {
    MovableClock clock = new MovableClock();
    clock.advance(Duration.between(clock.instant(), Instant.now()));
    S3Config config = config();
    try (S3DerivedStore variants = new S3DerivedStore(config)) {
      for (int i = 0; i < 12; i++) {
        variants.put(Sha256.hex(new byte[] {(byte) i}), "ab" + i, "image/webp", new byte[] {1});
      }
      assertThat(variants.list("", 5)).hasSize(5);
      DerivedSweep sweep = new DerivedSweep(variants, Duration.ofDays(30), clock, new Random(7));
      assertThat(walk(sweep)).as("young").isZero();
      assertThat(variants.list("", 100)).hasSize(12);
      clock.advance(Duration.ofDays(31));
      assertThat(walk(sweep)).as("old").isEqualTo(12);
      assertThat(variants.list("", 100)).isEmpty();
    }
  }

  /** Until it has been past everything; how many were deleted. */
  private static int walk(DerivedSweep sweep) {
    int deleted = 0;
    DerivedSweep.Turn turn;
    do {
      turn = sweep.turn();
      deleted += turn.deleted();
    } while (!turn.through());
    return deleted;
  }

  @AfterEach
  void close() {
    opened.close();
  }
}

package dev.tintype.queue.fleet;

import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.ephemera.RedisEphemera;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.RedisServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** Against a real Redis. */
@Tag("slow")
class RedisFleetTest extends FleetContract {
  private static final AtomicInteger RUNS = new AtomicInteger();
  @TempDir static Path folder;
  private static ChildProcess redis;
  private static String url;

  @BeforeAll
  static void startRedis() {
    int port = FreePorts.one();
    url = "redis://127.0.0.1:" + port;
    redis = RedisServer.of("redis", folder, port, 64).start().awaitReady();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  Ephemera open() {
    return new RedisEphemera(
        new RedisConfig(
            url, Optional.empty(), "fleet" + RUNS.incrementAndGet() + ":", Duration.ofSeconds(10)));
  }

  /** Redis has only the real clock. */
  @Override
  void pass(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() <= until) {
      LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }
  }
}

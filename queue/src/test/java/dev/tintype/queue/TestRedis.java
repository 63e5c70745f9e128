package dev.tintype.queue;

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

/** A real Redis; each memory on it has keys of its own. */
public final class TestRedis implements AutoCloseable {
  private final AtomicInteger runs = new AtomicInteger();
  private final ChildProcess server;
  private final String url;

  private TestRedis(ChildProcess server, String url) {
    this.server = server;
    this.url = url;
  }

  public static TestRedis start(Path folder) {
    int port = FreePorts.one();
    ChildProcess server = RedisServer.of("redis", folder, port, 64).start().awaitReady();
    return new TestRedis(server, "redis://127.0.0.1:" + port);
  }

  public Ephemera open() {
    return new RedisEphemera(
        new RedisConfig(
            url, Optional.empty(), "test" + runs.incrementAndGet() + ":", Duration.ofSeconds(5)));
  }

  /** To be killed and started again. */
  public ChildProcess server() {
    return server;
  }

  /** Redis has only the real clock. */
  public static void pass(Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() <= until) {
      LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }
  }

  @Override
  public void close() {
    server.close();
  }
}

package dev.tintype.queue.sweep;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.S3BlobStore;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.S3Server;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
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
    opened =
        new S3BlobStore(
            new S3Config(
                Optional.of(endpoint),
                "us-east-1",
                "pictures",
                "run" + RUNS.incrementAndGet() + "/",
                Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, "for tests only")),
                Duration.ofSeconds(20)));
    return opened;
  }

  @AfterEach
  void close() {
    opened.close();
  }
}

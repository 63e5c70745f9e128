package dev.tintype.queue.fleet;

import dev.tintype.queue.TestRedis;
import dev.tintype.queue.ephemera.Ephemera;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** Against a real Redis. */
@Tag("slow")
class RedisFleetTest extends FleetContract {
  @TempDir static Path folder;
  private static TestRedis redis;

  @BeforeAll
  static void startRedis() {
    redis = TestRedis.start(folder);
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  Ephemera open() {
    return redis.open();
  }

  @Override
  void pass(Duration time) {
    TestRedis.pass(time);
  }
}

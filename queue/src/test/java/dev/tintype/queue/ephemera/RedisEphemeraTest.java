package dev.tintype.queue.ephemera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.TestRedis;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.RedisServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against a real Redis. */
@Tag("slow")
class RedisEphemeraTest extends EphemeraContract {
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

  @Test
  void callsFailAtOnceWhileRedisIsAwayAndWorkWhenItIsBack() throws Exception {
    try (Ephemera ephemera = open();
        Subscription news = ephemera.subscribe("news")) {
      ephemera.put("a", bytes("1"), LONG);
      redis.server().kill();
      unavailable(() -> ephemera.get("a"));
      unavailable(() -> ephemera.take("user", 1, Rate.perSecond(1)));
      redis.server().start().awaitReady();
      until(() -> ephemera.put("a", bytes("2"), LONG));
      assertThat(text(ephemera.get("a"))).isEqualTo("2");
      // The subscription is made again; what was published before that is lost.
      Optional<byte[]> heard = Optional.empty();
      for (int i = 0; i < 100 && heard.isEmpty(); i++) {
        ephemera.publish("news", bytes("back"));
        heard = news.poll(SHORT);
      }
      assertThat(text(heard)).isEqualTo("back");
    }
  }

  @Test
  void itMayBeOpenedBeforeRedisIsThere() {
    int port = FreePorts.one();
    try (Ephemera early =
            new RedisEphemera(RedisConfig.of("redis://127.0.0.1:" + port, Optional.empty()));
        ChildProcess late = RedisServer.of("late", folder, port, 16)) {
      unavailable(() -> early.get("a"));
      late.start().awaitReady();
      until(() -> early.put("a", bytes("1"), LONG));
      assertThat(text(early.get("a"))).isEqualTo("1");
    }
  }

  @ParameterizedTest
  @CsvSource({"right, ''", "wrong, ephemera.login"})
  void aLoginIsGivenMoreTimeThanACall(String password, String code) throws Exception {
    int port = FreePorts.one();
    RedisConfig config = RedisConfig.of("redis://127.0.0.1:" + port, Optional.of(password));
    try (ChildProcess slow =
            RedisServer.of("slow-" + password, folder, port, 16, "right").start().awaitReady();
        RedisEphemera ephemera = new RedisEphemera(config)) {
      pause(port, config.deadline().multipliedBy(3));
      if (code.isEmpty()) {
        ephemera.login(LONG);
      } else {
        assertThatThrownBy(() -> ephemera.login(LONG))
            .isInstanceOfSatisfying(
                QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo(code));
      }
    }
  }

  /** Answers nobody for that time. */
  private static void pause(int port, Duration time) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket
          .getOutputStream()
          .write(
              ("AUTH right\r\nCLIENT PAUSE " + time.toMillis() + "\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(socket.getInputStream().readNBytes(10), StandardCharsets.US_ASCII))
          .isEqualTo("+OK\r\n+OK\r\n");
    }
  }

  private static void unavailable(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            QueueException.Unavailable.class,
            e -> assertThat(e.code()).isEqualTo("ephemera.unavailable"));
  }

  /** Tries again until it works; the contract's timeout bounds it. */
  private static void until(Runnable call) {
    while (true) {
      try {
        call.run();
        return;
      } catch (QueueException.Unavailable e) {
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
    }
  }
}

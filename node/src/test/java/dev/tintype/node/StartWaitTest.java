package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a start waits for, with openings that fail as told; real servers: StartTest of perf. */
@Timeout(60)
class StartWaitTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int ROUNDS = 2_000;

  private final AtomicInteger tries = new AtomicInteger();

  private static StartWait waiting(Duration most) {
    return new StartWait(most, Clock.systemUTC(), new Random(1));
  }

  private static QueueException.Unavailable outage(String code) {
    return new QueueException.Unavailable(code, "away", new IllegalStateException());
  }

  /** There after so many tries. */
  private AutoCloseable there(int after, String code) {
    if (tries.incrementAndGet() <= after) {
      throw outage(code);
    }
    return () -> {};
  }

  @ParameterizedTest
  @ValueSource(strings = {"store.unavailable", "store.timeout", "store.read_only"})
  void whatPassesIsWaitedFor(String code) {
    StartWait wait = waiting(LONG);
    assertThat(wait.open("it", "where", () -> there(2, code))).isNotNull();
    assertThat(tries).hasValue(3);
    assertThat(wait.waited()).isTrue();
  }

  @Test
  void whatDoesNotPassFailsAtOnce() {
    StartWait wait = waiting(LONG);
    for (String code : List.of("store.login", "store.tls", "store.full", "store.io")) {
      tries.set(0);
      assertThatThrownBy(() -> wait.open("it", "where", () -> there(1, code)))
          .hasMessage("away")
          .isInstanceOfSatisfying(
              QueueException.Unavailable.class, e -> assertThat(e.code()).isEqualTo(code));
      assertThat(tries).hasValue(1);
    }
    assertThat(wait.waited()).isFalse();
  }

  /** What has no message is told by its name. */
  @Test
  void theLastErrorSaysWhatWasWaitedForAndWhy() {
    assertThatThrownBy(
            () ->
                waiting(Duration.ofSeconds(1))
                    .open("it", "where.url", () -> there(1_000, "store.timeout")))
        .hasMessageContaining("it was not there in 1 s (IllegalStateException): start it, or")
        .hasMessageContaining("correct where.url")
        .isInstanceOfSatisfying(
            QueueException.Unavailable.class, e -> assertThat(e.code()).isEqualTo("store.timeout"));
    assertThat(tries).hasValueGreaterThan(1);
  }

  @Test
  void withoutTimeThereIsOneTry() {
    assertThatThrownBy(
            () -> waiting(Duration.ZERO).open("it", "where", () -> there(1, "store.timeout")))
        .hasMessage("away");
    assertThat(tries).hasValue(1);
  }

  /** The opening ends at the moment of the interrupt: a little before, or after. */
  @Test
  void whatIsOpenedWhileAnInterruptArrivesIsReturnedOrClosed() throws Exception {
    Thread self = Thread.currentThread();
    StartWait wait = waiting(LONG);
    for (int round = 0; round < ROUNDS; round++) {
      int spin = round % 100;
      CountDownLatch closed = new CountDownLatch(1);
      AutoCloseable opened = closed::countDown;
      AutoCloseable given = null;
      try {
        given =
            wait.open(
                "it",
                "where",
                () -> {
                  self.interrupt();
                  for (int i = 0; i < spin; i++) {
                    Thread.onSpinWait();
                  }
                  return opened;
                });
      } catch (NodeException.Start e) {
        assertThat(e.code()).isEqualTo("node.interrupted");
      }
      Thread.interrupted();
      if (given == null) {
        assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @Test
  void serversThatDoNotAnswerAreLookedAtAgainAndRefusalsEndTheStart() {
    CountDownLatch never = new CountDownLatch(1);
    StartWait.Login there = new StartWait.Login("there", most -> {});
    StartWait.Login away =
        new StartWait.Login(
            "away",
            most -> {
              throw outage("ephemera.unavailable");
            });
    StartWait.Login silent =
        new StartWait.Login(
            "silent",
            most -> {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    StartWait.Login refusing =
        new StartWait.Login(
            "refusing",
            most -> {
              throw new QueueException.Refused("ephemera.login", "no", null);
            });
    assertThat(StartWait.look(List.of(there, away, silent), Duration.ZERO))
        .containsExactly(away, silent);
    assertThatThrownBy(() -> StartWait.look(List.of(there, refusing)))
        .isInstanceOf(QueueException.Refused.class);
    never.countDown();
  }
}

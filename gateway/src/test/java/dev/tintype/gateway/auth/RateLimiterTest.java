package dev.tintype.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.testing.ManualClock;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.InProcessEphemera;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
  private final ManualClock clock = new ManualClock();
  private final Ephemera counter = new InProcessEphemera(clock);
  private final Vertx vertx = Vertx.vertx();
  private final BlockingCalls calls = new BlockingCalls(vertx, 1, 1, Duration.ofSeconds(5));
  private final RateLimiter limiter =
      new RateLimiter("rate.requests", "requests", 10, 3, counter, calls);

  @AfterEach
  void close() {
    vertx.close().await();
  }

  @Test
  void aBurstIsAllowedOnceAndThenTheSteadyRate() {
    for (int i = 0; i < 3; i++) {
      limiter.check("ada");
    }
    LimitException refused = catchThrowableOfType(LimitException.class, () -> limiter.check("ada"));
    assertThat(refused.code()).isEqualTo("rate.requests");
    assertThat(refused.retryAfter()).hasValue(Duration.ofMillis(100));

    for (int i = 0; i < 50; i++) {
      clock.advance(Duration.ofMillis(100));
      limiter.check("ada");
      assertThat(catchThrowableOfType(LimitException.class, () -> limiter.check("ada")))
          .isNotNull();
    }
  }

  @Test
  void aRefusalCostsNothing() {
    for (int i = 0; i < 3; i++) {
      limiter.check("ada");
    }
    for (int i = 0; i < 1_000; i++) {
      catchThrowableOfType(LimitException.class, () -> limiter.check("ada"));
    }
    clock.advance(Duration.ofMillis(100));
    assertThatCode(() -> limiter.check("ada")).doesNotThrowAnyException();
  }

  @Test
  void afterAPauseTheWholeBurstIsBackAndNoMore() {
    limiter.check("ada");
    clock.advance(Duration.ofHours(1));
    for (int i = 0; i < 3; i++) {
      limiter.check("ada");
    }
    assertThat(catchThrowableOfType(LimitException.class, () -> limiter.check("ada"))).isNotNull();
  }

  @Test
  void usersDoNotShare() {
    for (int i = 0; i < 3; i++) {
      limiter.check("ada");
    }
    assertThatCode(() -> limiter.check("bob")).doesNotThrowAnyException();
  }

  @Test
  void namesOfAnyKindAreCountedApart() {
    for (String user : List.of("a/b", "a b", "Ünï", "x".repeat(300), "a")) {
      for (int i = 0; i < 3; i++) {
        limiter.check(user);
      }
      assertThat(catchThrowableOfType(LimitException.class, () -> limiter.check(user))).isNotNull();
    }
  }

  @Test
  void whileTheCounterIsAwayRequestsAreLetIn() {
    counter.close();
    for (int i = 0; i < 10; i++) {
      assertThatCode(() -> limiter.check("ada")).doesNotThrowAnyException();
    }
  }
}

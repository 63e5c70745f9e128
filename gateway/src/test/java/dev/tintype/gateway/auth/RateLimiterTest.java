package dev.tintype.gateway.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.testing.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
  private final ManualClock clock = new ManualClock();
  private final RateLimiter limiter = new RateLimiter("rate.requests", "requests", 10, 3, clock);

  @Test
  void aBurstIsAllowedOnceAndThenTheSteadyRate() {
    for (int i = 0; i < 3; i++) {
      limiter.admit("ada");
    }
    LimitException refused = catchThrowableOfType(LimitException.class, () -> limiter.admit("ada"));
    assertThat(refused.code()).isEqualTo("rate.requests");
    assertThat(refused.retryAfter()).hasValue(Duration.ofMillis(100));

    for (int i = 0; i < 50; i++) {
      clock.advance(Duration.ofMillis(100));
      limiter.admit("ada");
      assertThat(catchThrowableOfType(LimitException.class, () -> limiter.admit("ada")))
          .isNotNull();
    }
  }

  @Test
  void aRefusalCostsNothing() {
    for (int i = 0; i < 3; i++) {
      limiter.admit("ada");
    }
    for (int i = 0; i < 1_000; i++) {
      catchThrowableOfType(LimitException.class, () -> limiter.admit("ada"));
    }
    clock.advance(Duration.ofMillis(100));
    assertThatCode(() -> limiter.admit("ada")).doesNotThrowAnyException();
  }

  @Test
  void afterAPauseTheWholeBurstIsBackAndNoMore() {
    limiter.admit("ada");
    clock.advance(Duration.ofHours(1));
    for (int i = 0; i < 3; i++) {
      limiter.admit("ada");
    }
    assertThat(catchThrowableOfType(LimitException.class, () -> limiter.admit("ada"))).isNotNull();
  }

  @Test
  void usersDoNotShare() {
    for (int i = 0; i < 3; i++) {
      limiter.admit("ada");
    }
    assertThatCode(() -> limiter.admit("bob")).doesNotThrowAnyException();
  }
}

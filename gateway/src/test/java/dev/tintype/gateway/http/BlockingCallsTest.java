package dev.tintype.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BlockingCallsTest {
  private final Vertx vertx = Vertx.vertx();
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);

  @AfterEach
  void close() {
    held.countDown();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private static void fails(Future<?> future, String code, String words) {
    assertThatThrownBy(() -> future.toCompletionStage().toCompletableFuture().join())
        .cause()
        .isInstanceOfSatisfying(
            UnavailableException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(words);
  }

  @Test
  void theEndIsToldWhenTheWorkEndsAndNotWhenTimeIsUp() throws InterruptedException {
    BlockingCalls calls =
        new BlockingCalls(vertx, 1, 0, Duration.ofMillis(20), "The disk did not answer.");
    Future<Boolean> slow = calls.run(() -> held.await(20, TimeUnit.SECONDS), ended::countDown);
    fails(slow, "gateway.timeout", "The disk did not answer.");
    assertThat(ended.getCount()).isEqualTo(1);
    held.countDown();
    assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whatNeverBeginsEndsAtOnce() {
    BlockingCalls calls = new BlockingCalls(vertx, 1, 0, Duration.ofSeconds(20));
    calls.run(() -> held.await(20, TimeUnit.SECONDS));
    fails(calls.run(() -> true, ended::countDown), "gateway.busy", "Try again");
    assertThat(ended.getCount()).isZero();
  }
}

package dev.tintype.gateway.auth;

import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.Rate;
import dev.tintype.queue.ephemera.RateDecision;
import dev.tintype.queue.job.Sha256;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Keeps each user within a rate, counted by {@link Ephemera#take}: a steady rate is allowed for
 * ever, and a burst above it once. Gateways that share the counter share the limit. Where the
 * counter cannot be asked the request is let in: a limit that is lost costs less than a service
 * that stands still.
 */
public final class RateLimiter {
  /** What may stand in a counter's name as it is; other users are named by their digest. */
  private static final Pattern PLAIN = Pattern.compile("[!-.0-~]{1,100}");

  private final String code;
  private final String what;
  private final double perSecond;
  private final Rate rate;
  private final Ephemera counter;
  private final BlockingCalls calls;

  /**
   * @param code of the refusal, such as "rate.requests"; also the counter's folder
   * @param what is limited, for the message, such as "requests"
   * @param perSecond steady rate, above 0
   * @param burst requests at once after a pause, at least 1
   */
  public RateLimiter(
      String code,
      String what,
      double perSecond,
      int burst,
      Ephemera counter,
      BlockingCalls calls) {
    this.code = code;
    this.what = what;
    this.perSecond = perSecond;
    this.rate = new Rate(1, Duration.ofNanos(Math.round(1e9 / perSecond)), burst);
    this.counter = counter;
    this.calls = calls;
  }

  /**
   * Counts one request. Fails with {@link LimitException}, which has the time until the next one is
   * allowed.
   */
  public Future<Void> admit(String user) {
    if (counter.isLocal()) {
      try {
        check(user);
        return Future.succeededFuture();
      } catch (LimitException e) {
        return Future.failedFuture(e);
      }
    }
    return calls.run(
        () -> {
          check(user);
          return null;
        });
  }

  /** {@link #admit}, for who may block. */
  void check(String user) {
    RateDecision decision;
    try {
      decision = counter.take(code + "/" + name(user), 1, rate);
    } catch (QueueException.Unavailable e) {
      return; // The counter tells its log about it.
    }
    if (!decision.allowed()) {
      throw new LimitException(
          code,
          String.format(
              Locale.ROOT,
              "Too many %s: %.4g per second are allowed. Wait as long as Retry-After says.",
              what,
              perSecond),
          decision.retryAfter());
    }
  }

  private static String name(String user) {
    return PLAIN.matcher(user).matches()
        ? user
        : "sha256-" + Sha256.hex(user.getBytes(StandardCharsets.UTF_8));
  }
}

package dev.tintype.gateway.auth;

import dev.tintype.gateway.problem.GatewayException.LimitException;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The generic cell rate algorithm (GCRA, ITU-T I.371): per user one number, the theoretical arrival
 * time of the next request, instead of a bucket that somebody must refill. A steady rate is allowed
 * for ever, and a burst above it once.
 */
public final class RateLimiter {
  /**
   * Users remembered; the one not seen for longest is forgotten first, which only forgives it its
   * burst.
   */
  private static final int USERS_MAX = 100_000;

  private final String code;
  private final String what;
  private final Clock clock;
  private final double intervalMillis;
  private final double toleranceMillis;
  private final Map<String, Double> arrivals =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Double> eldest) {
          return size() > USERS_MAX;
        }
      };

  /**
   * @param code of the refusal, such as "rate.requests"
   * @param what is limited, for the message, such as "requests"
   * @param perSecond steady rate, above 0
   * @param burst requests at once after a pause, at least 1
   */
  public RateLimiter(String code, String what, double perSecond, int burst, Clock clock) {
    this.code = code;
    this.what = what;
    this.clock = clock;
    this.intervalMillis = 1_000 / perSecond;
    this.toleranceMillis = intervalMillis * (burst - 1);
  }

  /**
   * Counts one request.
   *
   * @throws LimitException with the time until the next one is allowed
   */
  public void admit(String user) {
    double now = clock.millis();
    double wait;
    synchronized (arrivals) {
      double arrival = Math.max(now, arrivals.getOrDefault(user, now));
      wait = arrival - toleranceMillis - now;
      if (wait <= 0) {
        arrivals.put(user, arrival + intervalMillis);
        return;
      }
    }
    throw new LimitException(
        code,
        String.format(
            Locale.ROOT,
            "Too many %s: %.4g per second are allowed. Wait as long as Retry-After says.",
            what,
            1_000 / intervalMillis),
        Duration.ofMillis((long) Math.ceil(wait)));
  }
}

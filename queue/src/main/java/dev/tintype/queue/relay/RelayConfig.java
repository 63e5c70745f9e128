package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import java.time.Duration;

/**
 * How a relay works.
 *
 * @param depthMin least wake-ups kept in the transport, default 2; more hides the latency of the
 *     relay, fewer decides the order later
 * @param claimTime after this long a published job that nobody leased is published again, default
 *     30 s: what a wake-up that is lost on the way costs. One that only waits for longer is sent
 *     twice, which harms nothing, since the second lease is refused
 * @param poll a look at the queue even without a signal, default 500 ms
 * @param reapEvery between looks for lapsed leases and passed deadlines, default 1 s
 * @param reapGrace no lease is reaped this soon after the database came back, since no worker could
 *     renew while it was gone; one lease time, default 15 s
 */
public record RelayConfig(
    int depthMin, Duration claimTime, Duration poll, Duration reapEvery, Duration reapGrace) {
  public static final RelayConfig DEFAULT =
      new RelayConfig(
          2,
          Duration.ofSeconds(30),
          Duration.ofMillis(500),
          Duration.ofSeconds(1),
          Duration.ofSeconds(15));

  public RelayConfig {
    if (depthMin < 1
        || !claimTime.isPositive()
        || poll.toMillis() < 10
        || !reapEvery.isPositive()
        || reapGrace.isNegative()) {
      throw new QueueException.Invalid(
          "relay.config", "depthMin is at least 1, poll at least 10 ms, times are positive.");
    }
  }
}

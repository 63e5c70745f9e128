package dev.tintype.queue.webhook;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What came of the webhooks that this process tried to send, since it started. Thread-safe. */
public final class WebhookCounts {
  private final LongAdder taken = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder givenUp = new LongAdder();

  void taken() {
    taken.increment();
  }

  /** One try; it is tried again. */
  void failed() {
    failed.increment();
  }

  void givenUp() {
    givenUp.increment();
  }

  /** By outcome: {@code taken}, {@code failed} (to be tried again), {@code given_up}. */
  public Map<String, Long> byOutcome() {
    return new TreeMap<>(
        Map.of("taken", taken.sum(), "failed", failed.sum(), "given_up", givenUp.sum()));
  }
}

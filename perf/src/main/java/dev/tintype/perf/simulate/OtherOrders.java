package dev.tintype.perf.simulate;

import dev.tintype.queue.relay.OrderPolicy;
import dev.tintype.queue.store.ReadyJob;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** What queues elsewhere do, to be seen beside ours. */
final class OtherOrders {
  private OtherOrders() {}

  /** First in, first out. */
  static OrderPolicy fifo() {
    return by(Comparator.comparing(ReadyJob::createdAt));
  }

  /** The dearest tier first, always; within a tier first in, first out. */
  static OrderPolicy strict() {
    List<String> tiers = Scenario.TIERS.stream().map(tier -> tier.name()).toList();
    return by(
        Comparator.<ReadyJob>comparingInt(job -> -tiers.indexOf(job.tier()))
            .thenComparing(ReadyJob::createdAt));
  }

  private static OrderPolicy by(Comparator<ReadyJob> order) {
    return new OrderPolicy() {
      @Override
      public List<ReadyJob> take(Collection<ReadyJob> heads, int room, Instant now) {
        return heads.stream().sorted(order.thenComparing(ReadyJob::id)).limit(room).toList();
      }

      @Override
      public void refund(ReadyJob job) {}
    };
  }
}

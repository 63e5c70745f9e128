package dev.tintype.queue.relay;

import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.Tier;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * Who is next. {@link FairPolicy} is the one that Tintype runs by; measurements compare it with
 * others. Not thread-safe; the relay's thread owns it.
 */
public interface OrderPolicy {
  /**
   * Takes up to {@code room} of the waiting jobs, in order, and charges them. Of one user no more
   * than {@link ReadyJob#userRoom} are taken; FairPolicy says in which order.
   *
   * @param heads waiting jobs of all tiers; those of unknown tiers are left out
   * @param now by the clock that {@link ReadyJob#createdAt} is by
   */
  List<ReadyJob> take(Collection<ReadyJob> heads, int room, Instant now);

  /**
   * The tiers as they are now; what is known of those that stay is kept.
   *
   * @param tiers the slowest first
   */
  default void tiers(List<Tier> tiers) {}

  /** Takes the charge back of a job that was not sent after all. */
  void refund(ReadyJob job);
}

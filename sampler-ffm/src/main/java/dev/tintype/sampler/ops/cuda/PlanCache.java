package dev.tintype.sampler.ops.cuda;

import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What was made for a kind of work, at most so many: when there are more, the one that was not used
 * for longest is closed.
 */
final class PlanCache<K, V> {
  private final LinkedHashMap<K, V> plans = new LinkedHashMap<>(64, 0.75f, true);
  private final int most;
  private final Runnable beforeClosing;
  private final Consumer<V> close;

  /**
   * @param beforeClosing before a plan is closed that may be in use, see {@link Cuda#givePlanUp}
   */
  PlanCache(int most, Runnable beforeClosing, Consumer<V> close) {
    this.most = most;
    this.beforeClosing = beforeClosing;
    this.close = close;
  }

  Optional<V> get(K key) {
    return Optional.ofNullable(plans.get(key));
  }

  /** Takes the plan over; one that was there for the same work is closed. */
  void put(K key, V plan) {
    V old = plans.put(key, plan);
    if (old != null) {
      giveUp(old);
    }
    if (plans.size() > most) {
      giveUp(plans.pollFirstEntry().getValue());
    }
  }

  private void giveUp(V plan) {
    beforeClosing.run();
    close.accept(plan);
  }

  /** To be called when nothing runs any more. */
  void close() {
    plans.values().forEach(close);
    plans.clear();
  }
}

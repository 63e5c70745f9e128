package dev.tintype.queue.fleet;

import dev.tintype.queue.store.Tier;
import java.util.Comparator;

/**
 * Where machines are wanted: a model in a pool.
 *
 * @param pool {@link Tier#SHARED} for the workers of all tiers without one
 */
public record Place(String pool, String model) implements Comparable<Place> {
  private static final Comparator<Place> ORDER =
      Comparator.comparing(Place::model).thenComparing(Place::pool);

  /** On the shared workers. */
  public static Place shared(String model) {
    return new Place(Tier.SHARED, model);
  }

  @Override
  public int compareTo(Place other) {
    return ORDER.compare(this, other);
  }
}

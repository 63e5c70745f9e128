package dev.tintype.sampler.weights;

import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a checkpoint by key. Modules read theirs by the names that diffusers gives them,
 * each below its own prefix.
 */
public interface WeightSource {

  /** All keys, below this source's prefix. */
  Set<String> keys();

  boolean contains(String key);

  /**
   * The tensor of that key, with the shape that the model needs.
   *
   * @throws WeightsException code {@code weights.missing} or {@code weights.shape}, naming file,
   *     key, expected and found shape
   */
  HostTensor get(String key, long... expectedShape);

  /** As {@link #get}, empty when there is no such key. */
  default Optional<HostTensor> find(String key, long... expectedShape) {
    return contains(key) ? Optional.of(get(key, expectedShape)) : Optional.empty();
  }

  /** The keys that start with {@code prefix + "."}, seen without it. */
  WeightSource below(String prefix);
}

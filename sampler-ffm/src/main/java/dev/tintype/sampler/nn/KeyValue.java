package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;

/** Keys and values of one attention layer, [n, tokens, channels] each. */
public record KeyValue(Tensor key, Tensor value) implements AutoCloseable {

  /** Items {@code from} to {@code to} (exclusive), as a view. */
  KeyValue slice(long from, long to) {
    return new KeyValue(key.slice(from, to), value.slice(from, to));
  }

  @Override
  public void close() {
    key.close();
    value.close();
  }
}

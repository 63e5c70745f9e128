package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import java.util.Collections;
import java.util.function.UnaryOperator;

/** Ownership of activations, so that a chain of layers holds no more than it needs. */
public final class Tensors {
  private Tensors() {}

  /** Applies {@code layer} to {@code x} and closes {@code x}, also when the layer fails. */
  public static Tensor consume(Tensor x, UnaryOperator<Tensor> layer) {
    try (x) {
      return layer.apply(x);
    }
  }

  /**
   * Applies {@code use} to {@code x} with {@code rows} items in its batch dimension. When {@code x}
   * has fewer, it is repeated as a whole: [a, b] becomes [a, b, a, b]. The caller keeps {@code x}.
   */
  static Tensor withRows(Ops ops, Tensor x, long rows, UnaryOperator<Tensor> use) {
    if (x.shape().dim(0) == rows) {
      return use.apply(x);
    }
    return consume(repeat(ops, x, rows), use);
  }

  /** A copy of {@code x} with {@code rows} items, a multiple of what it has. */
  public static Tensor repeat(Ops ops, Tensor x, long rows) {
    long have = x.shape().dim(0);
    if (have == 0 || rows % have != 0) {
      throw new IllegalArgumentException("cannot repeat " + have + " rows to " + rows);
    }
    return ops.concatBatch(Collections.nCopies(Math.toIntExact(rows / have), x));
  }
}

package dev.tintype.sampler.ops.cuda;

import java.util.Optional;

/** What a plan adds to the convolution before it rounds the result: the residual, the bias. */
record CudnnFusion(boolean bias, boolean residual) {
  static final CudnnFusion NONE = new CudnnFusion(false, false);

  // Ids of the tensors of a graph.
  static final long X = 'x';
  static final long W = 'w';
  static final long Y = 'y';
  static final long BIAS = 'b';
  static final long RESIDUAL = 'r';

  /** All of the call that can be had. */
  static CudnnFusion of(Convolution.Call call) {
    boolean nothingBetween = call.activation() == 0 && call.scale() == 1;
    return new CudnnFusion(call.bias() != 0, nothingBetween && call.residual() != 0);
  }

  /** In ids of plans. */
  String word() {
    return count() == 0 ? "plain" : (bias ? "b" : "") + (residual ? "r" : "");
  }

  static Optional<CudnnFusion> ofWord(String word) {
    return switch (word) {
      case "plain" -> Optional.of(NONE);
      case "b" -> Optional.of(new CudnnFusion(true, false));
      case "r" -> Optional.of(new CudnnFusion(false, true));
      case "br" -> Optional.of(new CudnnFusion(true, true));
      default -> Optional.empty();
    };
  }

  /** Whether a call that has all of this has all of the other. */
  boolean includes(CudnnFusion other) {
    return (bias || !other.bias) && (residual || !other.residual);
  }

  int count() {
    return (bias ? 1 : 0) + (residual ? 1 : 0);
  }

  /** Ids of everything that lies in memory. */
  long[] ids() {
    return select(X, W, Y, BIAS, RESIDUAL);
  }

  /** Addresses of a call, in the order of {@link #ids}. */
  long[] addresses(Convolution.Call call) {
    return select(call.x(), call.weights(), call.out(), call.bias(), call.residual());
  }

  private long[] select(long x, long w, long y, long b, long r) {
    long[] values = new long[3 + count()];
    values[0] = x;
    values[1] = w;
    values[2] = y;
    int next = 3;
    if (bias) {
      values[next++] = b;
    }
    if (residual) {
      values[next] = r;
    }
    return values;
  }
}

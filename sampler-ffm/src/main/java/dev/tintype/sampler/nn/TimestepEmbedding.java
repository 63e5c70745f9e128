package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Epilogue;

/** Two linear layers with SiLU between, [n, in] to [n, out]. */
public final class TimestepEmbedding {
  private final Linear linear1;
  private final Linear linear2;

  public TimestepEmbedding(Parameters p, int in, int out) {
    linear1 = Linear.withBias(p.below("linear_1"), in, out);
    linear2 = Linear.withBias(p.below("linear_2"), out, out);
  }

  public Tensor forward(Tensor x) {
    return Tensors.consume(linear1.forward(x, Epilogue.of(Activation.SILU)), linear2::forward);
  }
}

package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import java.util.List;

/** [..., in] to [..., out]. */
public final class Linear {
  private final Ops ops;
  private final PreparedWeights.Linear weights;

  private Linear(Ops ops, PreparedWeights.Linear weights) {
    this.ops = ops;
    this.weights = weights;
  }

  public static Linear withBias(Parameters p, int in, int out) {
    return new Linear(p.ops(), p.linear(in, out, true));
  }

  public static Linear withoutBias(Parameters p, int in, int out) {
    return new Linear(p.ops(), p.linear(in, out, false));
  }

  /** Several layers without biases over the same input; their outputs beside each other. */
  static Linear joined(Parameters p, List<String> names, int in, int out) {
    return new Linear(p.ops(), p.joined(names, in, out));
  }

  /** Several layers with biases over the same input; their outputs beside each other. */
  static Linear joined(List<Parameters> layers, int in, List<Integer> outs) {
    Parameters first = layers.getFirst();
    return new Linear(first.ops(), first.joined(layers, in, outs));
  }

  /** From the weights of a 1x1 convolution, which in NHWC is the same thing. */
  public static Linear pointwise(Parameters p, int in, int out) {
    return new Linear(p.ops(), p.pointwise(in, out));
  }

  public Tensor forward(Tensor x) {
    return forward(x, Epilogue.NONE);
  }

  public Tensor forward(Tensor x, Epilogue epilogue) {
    return ops.linear(x, weights, epilogue);
  }

  /** [..., in] to [..., out / 2]: the first half of the features times gelu(the second). */
  Tensor forwardGeglu(Tensor x) {
    return ops.linearGeglu(x, weights);
  }
}

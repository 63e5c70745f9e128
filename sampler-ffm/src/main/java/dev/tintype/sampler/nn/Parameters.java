package dev.tintype.sampler.nn;

import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import dev.tintype.sampler.weights.WeightSource;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a module finds its weights: the device that prepares them, and the checkpoint seen below
 * the module's own prefix. Everything prepared through one tree of parameters is released together
 * when the root is closed, also after a load that failed half way.
 */
public final class Parameters implements AutoCloseable {
  private final Ops ops;
  private final WeightSource source;
  private final List<PreparedWeights> owned;

  private Parameters(Ops ops, WeightSource source, List<PreparedWeights> owned) {
    this.ops = ops;
    this.source = source;
    this.owned = owned;
  }

  /** The parameters of a whole model. */
  public static Parameters of(Ops ops, WeightSource source) {
    return new Parameters(ops, source, new ArrayList<>());
  }

  /** The parameters of the part called {@code prefix}; owned by the same root. */
  public Parameters below(String prefix) {
    return new Parameters(ops, source.below(prefix), owned);
  }

  /** As {@link #below(String)}, for item {@code index} of a list of modules. */
  public Parameters below(String prefix, int index) {
    return below(prefix + "." + index);
  }

  public Ops ops() {
    return ops;
  }

  /** Whether the checkpoint has this key here. */
  public boolean contains(String key) {
    return source.contains(key);
  }

  /** Whether any key here starts with {@code prefix + "."}. */
  public boolean containsBelow(String prefix) {
    return !source.below(prefix).keys().isEmpty();
  }

  /** The tensor of that key, not prepared. */
  public HostTensor get(String key, long... shape) {
    return source.get(key, shape);
  }

  PreparedWeights.Conv2d conv2d(int in, int out, Conv2dGeometry geometry) {
    HostTensor weight =
        source.get("weight", out, in, geometry.kernelHeight(), geometry.kernelWidth());
    return own(ops.prepareConv2d(weight, source.find("bias", out), geometry));
  }

  PreparedWeights.Linear linear(int in, int out, boolean bias) {
    return linear(source.get("weight", out, in), bias ? biasOf(out) : Optional.empty());
  }

  /** The linear layers of those names, without biases, as one with all of their outputs. */
  PreparedWeights.Linear joined(List<String> names, int in, int out) {
    List<HostTensor> parts =
        names.stream().map(name -> source.below(name).get("weight", out, in)).toList();
    // Some MB of host memory per layer, which must not wait for the garbage collector.
    try (Arena arena = Arena.ofConfined()) {
      return linear(HostTensor.stack(parts, arena), Optional.empty());
    }
  }

  /** Linear layers with biases over the same input as one with all of their outputs. */
  PreparedWeights.Linear joined(List<Parameters> layers, int in, List<Integer> outs) {
    List<HostTensor> weights = new ArrayList<>();
    List<HostTensor> biases = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      weights.add(layers.get(i).get("weight", outs.get(i), in));
      biases.add(layers.get(i).get("bias", outs.get(i)));
    }
    try (Arena arena = Arena.ofConfined()) {
      return linear(HostTensor.stack(weights, arena), Optional.of(HostTensor.stack(biases, arena)));
    }
  }

  /** A convolution with a 1x1 kernel, which in NHWC is a linear layer over the channels. */
  PreparedWeights.Linear pointwise(int in, int out) {
    return linear(source.get("weight", out, in, 1, 1).reshape(out, in), source.find("bias", out));
  }

  PreparedWeights.Norm norm(int channels) {
    return own(ops.prepareNorm(source.get("weight", channels), source.get("bias", channels)));
  }

  /** A lookup table from the key {@code weight}. */
  public PreparedWeights.Table table(int rows, int channels) {
    return table(source.get("weight", rows, channels));
  }

  /** A lookup table of these rows. */
  public PreparedWeights.Table table(HostTensor rows) {
    return own(ops.prepareTable(rows));
  }

  private PreparedWeights.Linear linear(HostTensor weight, Optional<HostTensor> bias) {
    return own(ops.prepareLinear(weight, bias));
  }

  private Optional<HostTensor> biasOf(int out) {
    return Optional.of(source.get("bias", out));
  }

  private <W extends PreparedWeights> W own(W weights) {
    owned.add(weights);
    return weights;
  }

  /** Bytes of device memory that the prepared weights hold. */
  public long bytes() {
    return owned.stream().mapToLong(PreparedWeights::bytes).sum();
  }

  /** Releases every weight prepared so far. */
  @Override
  public void close() {
    owned.forEach(PreparedWeights::close);
    owned.clear();
  }
}

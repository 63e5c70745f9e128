package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Linear layer as a matrix product with its epilogue fused, one sample at a time. */
final class OneDnnLinear {
  /** Tokens for which weights are laid out at load. */
  private static final int TYPICAL_TOKENS = 1024;

  private record Key(
      long rows,
      long inFeatures,
      long outFeatures,
      Activation activation,
      float scale,
      boolean residual) {
    /** What one thread takes, about: 100 GFLOP/s. */
    double nanos() {
      return 2.0 * rows * inFeatures * outFeatures / 100;
    }
  }

  record Weights(BlockedWeights matrix, BiasVector bias, int inFeatures, int outFeatures)
      implements PreparedWeights.Linear {
    @Override
    public long bytes() {
      return matrix.bytes() + bias.bytes();
    }

    @Override
    public void close() {
      matrix.close();
      bias.close();
    }
  }

  private final Engine engine;

  OneDnnLinear(Engine engine) {
    this.engine = engine;
  }

  Weights prepare(HostTensor weight, Optional<HostTensor> bias) {
    int out = weight.shape().intDim(0);
    int in = weight.shape().intDim(1);
    Key typical = new Key(TYPICAL_TOKENS, in, out, Activation.NONE, 1, false);
    try (Descriptors d = new Descriptors()) {
      // The checkpoint has [out, in]; the product's right side is [in, out]: the same, transposed.
      MemorySegment plain = d.strided(new long[] {in, out}, new long[] {1, in});
      BlockedWeights matrix =
          new BlockedWeights(
              engine,
              weight.toFloats(),
              plain,
              primitive(typical).descriptor(Dnnl.DNNL_ARG_WEIGHTS()));
      return new Weights(matrix, BiasVector.of(bias, out), in, out);
    }
  }

  Tensor apply(Tensor x, Weights weights, Epilogue epilogue) {
    Shape in = x.shape();
    long samples = in.dim(0);
    long rows = samples == 0 ? 0 : in.elements() / samples / weights.inFeatures();
    Tensor result = engine.workspace().tensor(in.with(-1, weights.outFeatures()));
    if (samples == 0 || rows == 0) {
      return result;
    }
    Key key =
        new Key(
            rows,
            weights.inFeatures(),
            weights.outFeatures(),
            epilogue.activation(),
            epilogue.scale(),
            epilogue.residual().isPresent());
    Primitive primitive = primitive(key);
    MemorySegment matrix = weights.matrix().in(primitive.descriptor(Dnnl.DNNL_ARG_WEIGHTS()));
    new LayerCall(engine, primitive, matrix, weights.bias()).run(x, epilogue, result, key.nanos());
    return result;
  }

  private Primitive primitive(Key key) {
    return key.nanos() < OpenMpTeam.SERIAL_NANOS_MAX
        ? engine.taskPrimitive(key, () -> create(key, true))
        : engine.primitive(key, () -> create(key, false));
  }

  private Primitive create(Key key, boolean serial) {
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      MemorySegment target = d.dense(key.rows(), key.outFeatures());
      attributes.activation(key.activation()).scale(key.scale());
      int residual = key.residual() ? attributes.add(target) : 0;
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      check(
          Dnnl.dnnl_matmul_primitive_desc_create(
              description,
              engine.handle(),
              d.dense(key.rows(), key.inFeatures()),
              d.any(key.inFeatures(), key.outFeatures()),
              d.dense(1, key.outFeatures()),
              target,
              attributes.handle()),
          "matmul_primitive_desc_create");
      int[] arguments = {
        Dnnl.DNNL_ARG_SRC(), Dnnl.DNNL_ARG_WEIGHTS(), Dnnl.DNNL_ARG_BIAS(), Dnnl.DNNL_ARG_DST()
      };
      return new Primitive(
          engine,
          serial,
          description.get(ValueLayout.ADDRESS, 0),
          key.residual() ? OneDnnConv2d.append(arguments, residual) : arguments);
    }
  }
}

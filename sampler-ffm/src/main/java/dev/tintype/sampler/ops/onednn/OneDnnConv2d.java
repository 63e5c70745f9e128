package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Convolution in NHWC with its epilogue fused, one sample at a time. */
final class OneDnnConv2d {
  /** Picture extent for which weights are laid out at load. */
  private static final int TYPICAL_EXTENT = 32;

  /** What a primitive depends on. The residual is added by the primitive; the biases are one. */
  private record Key(
      Conv2dGeometry geometry,
      long inChannels,
      long outChannels,
      long height,
      long width,
      Activation activation,
      float scale,
      boolean residual) {
    /** What one thread takes, about: 100 GFLOP/s. */
    double nanos() {
      return 2.0
          * geometry.kernelHeight()
          * geometry.kernelWidth()
          / (geometry.stride() * geometry.stride())
          * height
          * width
          * inChannels
          * outChannels
          / 100;
    }
  }

  record Weights(
      BlockedWeights kernel,
      BiasVector bias,
      Conv2dGeometry geometry,
      int inChannels,
      int outChannels)
      implements PreparedWeights.Conv2d {
    @Override
    public long bytes() {
      return kernel.bytes() + bias.bytes();
    }

    @Override
    public void close() {
      kernel.close();
      bias.close();
    }
  }

  private final Engine engine;

  OneDnnConv2d(Engine engine) {
    this.engine = engine;
  }

  Weights prepare(HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    int out = weight.shape().intDim(0);
    int in = weight.shape().intDim(1);
    Key typical =
        new Key(geometry, in, out, TYPICAL_EXTENT, TYPICAL_EXTENT, Activation.NONE, 1, false);
    try (Descriptors descriptors = new Descriptors()) {
      BlockedWeights kernel =
          new BlockedWeights(
              engine,
              weight.toFloats(),
              descriptors.dense(weight.shape().dims()),
              primitive(typical).descriptor(Dnnl.DNNL_ARG_WEIGHTS()));
      return new Weights(kernel, BiasVector.of(bias, out), geometry, in, out);
    }
  }

  Tensor apply(Tensor x, Weights weights, Epilogue epilogue) {
    Shape in = x.shape();
    Shape out = weights.geometry().output(in, weights.outChannels());
    Key key =
        new Key(
            weights.geometry(),
            weights.inChannels(),
            weights.outChannels(),
            in.dim(1),
            in.dim(2),
            epilogue.activation(),
            epilogue.scale(),
            epilogue.residual().isPresent());
    Primitive primitive = primitive(key);
    MemorySegment kernel = weights.kernel().in(primitive.descriptor(Dnnl.DNNL_ARG_WEIGHTS()));
    Tensor result = engine.workspace().tensor(out);
    new LayerCall(engine, primitive, kernel, weights.bias()).run(x, epilogue, result, key.nanos());
    return result;
  }

  private Primitive primitive(Key key) {
    return key.nanos() < OpenMpTeam.SERIAL_NANOS_MAX
        ? engine.taskPrimitive(key, () -> create(key, true))
        : engine.primitive(key, () -> create(key, false));
  }

  private Primitive create(Key key, boolean serial) {
    Conv2dGeometry g = key.geometry();
    Shape out =
        g.output(Shape.of(1, key.height(), key.width(), key.inChannels()), key.outChannels());
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      MemorySegment source = image(d, key.height(), key.width(), key.inChannels());
      MemorySegment target = image(d, out.dim(1), out.dim(2), out.dim(3));
      attributes.activation(key.activation()).scale(key.scale());
      int residual = key.residual() ? attributes.add(target) : 0;
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      check(
          Dnnl.dnnl_convolution_forward_primitive_desc_create(
              description,
              engine.handle(),
              Dnnl.dnnl_forward_inference(),
              Dnnl.dnnl_convolution_direct(),
              source,
              d.any(key.outChannels(), key.inChannels(), g.kernelHeight(), g.kernelWidth()),
              d.dense(key.outChannels()),
              target,
              d.longs(g.stride(), g.stride()),
              d.longs(0, 0),
              d.longs(g.padTop(), g.padLeft()),
              d.longs(g.padBottom(), g.padRight()),
              attributes.handle()),
          "convolution_forward_primitive_desc_create");
      int[] arguments = {
        Dnnl.DNNL_ARG_SRC(), Dnnl.DNNL_ARG_WEIGHTS(), Dnnl.DNNL_ARG_BIAS(), Dnnl.DNNL_ARG_DST()
      };
      return new Primitive(
          engine,
          serial,
          description.get(ValueLayout.ADDRESS, 0),
          key.residual() ? append(arguments, residual) : arguments);
    }
  }

  static int[] append(int[] values, int value) {
    int[] longer = java.util.Arrays.copyOf(values, values.length + 1);
    longer[values.length] = value;
    return longer;
  }

  /** oneDNN's extents are always [n, c, h, w]; the strides say that channels lie innermost. */
  private static MemorySegment image(Descriptors d, long height, long width, long channels) {
    return d.strided(
        new long[] {1, channels, height, width},
        new long[] {height * width * channels, 1, width * channels, channels});
  }
}

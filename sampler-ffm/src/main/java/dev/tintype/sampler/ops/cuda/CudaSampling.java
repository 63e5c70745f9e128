package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.Shapes;
import dev.tintype.sampler.ops.StepCoefficients;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.Supplier;

/** Launches of guidance, scheduler steps, noise, timestep embeddings and pictures out. */
final class CudaSampling {
  private static final int DEVIATION_THREADS = 512;

  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaSampling(Kernels kernels, CudaTensors tensors) {
    this.kernels = kernels;
    this.tensors = tensors;
  }

  /**
   * Standard deviations of the text's and the guided prediction, [samples, 2]; empty where nothing
   * is rescaled.
   */
  private Optional<Tensor> deviations(Ops.Guided guided) {
    if (!(guided.rescale() > 0)) {
      return Optional.empty();
    }
    Tensor text = guided.text();
    long samples = text.shape().dim(0);
    return Optional.of(
        tensors.produce(
            Shape.of(samples, 2),
            DType.F32,
            out -> {
              long kernel = kernels.typed("guide_deviations");
              kernels
                  .arguments()
                  .pointer(address(guided.uncond()))
                  .pointer(address(text))
                  .real(guided.scale())
                  .pointer(address(out))
                  .wide(text.elements() / samples);
              kernels.launch(kernel, samples, 1, 1, DEVIATION_THREADS, 0);
            }));
  }

  Tensor guide(Ops.Guided guided) {
    Shapes.same(guided.uncond(), guided.text());
    Tensor text = guided.text();
    Optional<Tensor> deviations = deviations(guided);
    try {
      return tensors.produce(
          text.shape(),
          out -> {
            long kernel = kernels.typed("guide");
            kernels
                .arguments()
                .pointer(address(guided.uncond()))
                .pointer(address(text))
                .real(guided.scale())
                .real(guided.rescale())
                .pointer(deviations.map(CudaTensors::address).orElse(0L))
                .pointer(address(out))
                .wide(text.elements())
                .wide(text.elements() / text.shape().dim(0));
            kernels.launchOver(kernel, text.elements());
          });
    } finally {
      deviations.ifPresent(Tensor::close);
    }
  }

  Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    return step(sample, model, Optional.empty(), history, noise, coefficients);
  }

  /** Guidance and step in one kernel. */
  Ops.Stepped guidedStep(
      Tensor sample,
      Ops.Guided guided,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    Shapes.same(guided.uncond(), guided.text());
    return step(sample, guided.uncond(), Optional.of(guided), history, noise, coefficients);
  }

  private Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Ops.Guided> guided,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    Shapes.same(sample, model);
    history.ifPresent(tensor -> Shapes.same(sample, tensor));
    noise.ifPresent(tensor -> Shapes.same(sample, tensor));
    Shapes.require(
        !coefficients.usesHistory() || history.isPresent(), "history is missing", sample);
    Shapes.require(!coefficients.usesNoise() || noise.isPresent(), "noise is missing", sample);
    Optional<Tensor> deviations = guided.flatMap(this::deviations);
    try {
      return launchStep(
          sample,
          () ->
              numbers(
                  kernels
                      .arguments()
                      .pointer(address(sample))
                      .pointer(address(model))
                      .pointer(guided.map(g -> address(g.text())).orElse(0L))
                      .real(guided.map(Ops.Guided::scale).orElse(1f))
                      .real(guided.map(Ops.Guided::rescale).orElse(0f))
                      .pointer(deviations.map(CudaTensors::address).orElse(0L))
                      .pointer(history.map(CudaTensors::address).orElse(0L))
                      .pointer(noise.map(CudaTensors::address).orElse(0L)),
                  coefficients));
    } finally {
      deviations.ifPresent(Tensor::close);
    }
  }

  /** By value: nothing is copied to the GPU for a step. */
  private static KernelArguments numbers(KernelArguments arguments, StepCoefficients c) {
    return arguments
        .wideReal(c.x0Sample())
        .wideReal(c.x0Model())
        .wideReal(c.clipRange())
        .wideReal(c.prevX0())
        .wideReal(c.prevSample())
        .wideReal(c.prevModel())
        .wideReal(c.prevHistory())
        .wideReal(c.prevNoise());
  }

  /**
   * @param first the kernel's parameters up to its results
   */
  private Ops.Stepped launchStep(Tensor sample, Supplier<KernelArguments> first) {
    Tensor[] predicted = new Tensor[1];
    Tensor previous =
        tensors.produce(
            sample.shape(),
            next ->
                predicted[0] =
                    tensors.produce(
                        sample.shape(),
                        original -> {
                          long kernel = kernels.typed("step");
                          first
                              .get()
                              .pointer(address(next))
                              .pointer(address(original))
                              .wide(sample.elements())
                              .wide(sample.elements() / sample.shape().dim(0));
                          kernels.launchOver(kernel, sample.elements());
                        }));
    return new Ops.Stepped(previous, predicted[0]);
  }

  Tensor normalNoise(long[] seeds, long stream, Shape item) {
    return tensors.produce(
        Shapes.batchOf(seeds.length, item),
        out -> {
          try (Arena arena = Arena.ofConfined();
              Tensor numbers =
                  tensors.parameters(CudaLayout.longs(arena, seeds), DType.I64, seeds.length)) {
            long kernel = kernels.typed("normal_noise");
            kernels
                .arguments()
                .pointer(address(numbers))
                .wide(stream)
                .pointer(address(out))
                .wide(seeds.length)
                .wide(item.elements());
            kernels.launchOver(kernel, Math.ceilDiv(out.elements(), 2));
          }
        });
  }

  Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    return tensors.produce(
        Shape.of(timesteps.length, channels),
        out -> {
          try (Arena arena = Arena.ofConfined();
              Tensor numbers =
                  tensors.parameters(
                      arena.allocateFrom(ValueLayout.JAVA_DOUBLE, timesteps),
                      DType.F64,
                      timesteps.length)) {
            long kernel = kernels.typed("timestep_embedding");
            kernels
                .arguments()
                .pointer(address(numbers))
                .pointer(address(out))
                .wide(timesteps.length)
                .number(channels)
                .number(flipSinToCos ? 1 : 0)
                .wideReal(downscaleFreqShift);
            kernels.launchOver(kernel, out.elements());
          }
        });
  }

  byte[] toRgb8(Tensor image) {
    Shapes.image(image);
    try (Tensor bytes = tensors.allocate(image.shape(), DType.U8)) {
      long kernel = kernels.typed("to_rgb8");
      kernels.arguments().pointer(address(image)).pointer(address(bytes)).wide(image.elements());
      kernels.launchOver(kernel, image.elements());
      return tensors.downloadBytes(bytes);
    }
  }
}

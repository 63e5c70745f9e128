package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.Shapes;
import dev.tintype.sampler.ops.StepCoefficients;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Launches of guidance, scheduler steps, noise, timestep embeddings and pictures out. */
final class CudaSampling {
  private static final int DEVIATION_THREADS = 512;

  /** Doubles of a StepCoefficients in device memory. */
  private static final int COEFFICIENTS = 8;

  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaSampling(Kernels kernels, CudaTensors tensors) {
    this.kernels = kernels;
    this.tensors = tensors;
  }

  /**
   * Standard deviations of the text's and the guided prediction, [samples, 2]; empty where no
   * sample is rescaled.
   *
   * @param scales address of the guidance scales
   */
  private Optional<Tensor> deviations(Ops.Guided guided, long scales) {
    boolean rescales = false;
    for (float value : guided.rescale()) {
      rescales |= value > 0;
    }
    if (!rescales) {
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
                  .pointer(scales)
                  .pointer(address(out))
                  .wide(text.elements() / samples);
              kernels.launch(kernel, samples, 1, 1, DEVIATION_THREADS, 0);
            }));
  }

  private static void check(Ops.Guided guided) {
    Shapes.same(guided.uncond(), guided.text());
    Shapes.require(
        guided.scale().length == guided.text().shape().dim(0)
            && guided.rescale().length == guided.scale().length,
        "not one guidance scale and rescale per sample",
        guided.text());
  }

  /** Scales, then rescales. */
  private static float[] factors(Ops.Guided guided) {
    int samples = guided.scale().length;
    float[] both = Arrays.copyOf(guided.scale(), 2 * samples);
    System.arraycopy(guided.rescale(), 0, both, samples, samples);
    return both;
  }

  Tensor guide(Ops.Guided guided) {
    check(guided);
    Tensor text = guided.text();
    float[] factors = factors(guided);
    try (Arena arena = Arena.ofConfined();
        Tensor numbers =
            tensors.parameters(
                arena.allocateFrom(ValueLayout.JAVA_FLOAT, factors), DType.F32, factors.length)) {
      long scales = address(numbers);
      Optional<Tensor> deviations = deviations(guided, scales);
      try {
        return tensors.produce(
            text.shape(),
            out -> {
              long kernel = kernels.typed("guide");
              kernels
                  .arguments()
                  .pointer(address(guided.uncond()))
                  .pointer(address(text))
                  .pointer(scales)
                  .pointer(scales + (long) Float.BYTES * guided.scale().length)
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
  }

  Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    return step(sample, model, Optional.empty(), history, noise, coefficients);
  }

  /** Guidance and step in one kernel. */
  Ops.Stepped guidedStep(
      Tensor sample,
      Ops.Guided guided,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    check(guided);
    return step(sample, guided.uncond(), Optional.of(guided), history, noise, coefficients);
  }

  private Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Ops.Guided> guided,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    Shapes.same(sample, model);
    history.ifPresent(tensor -> Shapes.same(sample, tensor));
    noise.ifPresent(tensor -> Shapes.same(sample, tensor));
    Shapes.require(
        coefficients.size() == sample.shape().dim(0), "not one set of coefficients each", sample);
    for (StepCoefficients c : coefficients) {
      Shapes.require(!c.usesHistory() || history.isPresent(), "history is missing", sample);
      Shapes.require(!c.usesNoise() || noise.isPresent(), "noise is missing", sample);
    }
    try (Arena arena = Arena.ofConfined();
        Tensor numbers = numbers(arena, coefficients, guided)) {
      long scales = address(numbers) + (long) COEFFICIENTS * Double.BYTES * coefficients.size();
      Optional<Tensor> deviations = guided.flatMap(g -> deviations(g, scales));
      try {
        return launchStep(
            sample,
            () ->
                kernels
                    .arguments()
                    .pointer(address(sample))
                    .pointer(address(model))
                    .pointer(guided.map(g -> address(g.text())).orElse(0L))
                    .pointer(scales)
                    .pointer(scales + (long) Float.BYTES * coefficients.size())
                    .pointer(deviations.map(CudaTensors::address).orElse(0L))
                    .pointer(history.map(CudaTensors::address).orElse(0L))
                    .pointer(noise.map(CudaTensors::address).orElse(0L))
                    .pointer(address(numbers)));
      } finally {
        deviations.ifPresent(Tensor::close);
      }
    }
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

  /** Coefficients of all samples, then guidance scales, then rescales, in one copy. */
  private Tensor numbers(
      Arena arena, List<StepCoefficients> coefficients, Optional<Ops.Guided> guided) {
    MemorySegment first = encode(arena, coefficients);
    float[] factors = guided.map(CudaSampling::factors).orElse(new float[0]);
    MemorySegment all =
        arena.allocate(first.byteSize() + (long) Float.BYTES * factors.length, Double.BYTES);
    all.copyFrom(first);
    MemorySegment.copy(factors, 0, all, ValueLayout.JAVA_FLOAT, first.byteSize(), factors.length);
    return tensors.parameters(all, DType.U8, all.byteSize());
  }

  /** As struct StepCoefficients of arithmetic.cuh. */
  private static MemorySegment encode(Arena arena, List<StepCoefficients> coefficients) {
    double[] numbers = new double[COEFFICIENTS * coefficients.size()];
    int i = 0;
    for (StepCoefficients c : coefficients) {
      numbers[i++] = c.x0Sample();
      numbers[i++] = c.x0Model();
      numbers[i++] = c.clipRange();
      numbers[i++] = c.prevX0();
      numbers[i++] = c.prevSample();
      numbers[i++] = c.prevModel();
      numbers[i++] = c.prevHistory();
      numbers[i++] = c.prevNoise();
    }
    return arena.allocateFrom(ValueLayout.JAVA_DOUBLE, numbers);
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

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
import java.util.List;
import java.util.Optional;

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

  /** Guidance of one batch in device memory: scales, rescales and, where needed, deviations. */
  private final class Guidance implements AutoCloseable {
    private final Tensor scale;
    private final Tensor rescale;
    private final Optional<Tensor> deviations;

    Guidance(Tensor uncond, Tensor text, float[] scale, float[] rescale, Arena arena) {
      Shapes.same(uncond, text);
      Shapes.require(
          scale.length == text.shape().dim(0) && rescale.length == scale.length,
          "not one guidance scale and rescale per sample",
          text);
      this.scale = parameters(arena, scale);
      this.rescale = parameters(arena, rescale);
      boolean rescales = false;
      for (float value : rescale) {
        rescales |= value > 0;
      }
      this.deviations = rescales ? Optional.of(deviations(uncond, text)) : Optional.empty();
    }

    private Tensor parameters(Arena arena, float[] values) {
      MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      return tensors.parameters(host, DType.F32, values.length);
    }

    private Tensor deviations(Tensor uncond, Tensor text) {
      long samples = text.shape().dim(0);
      Tensor result = tensors.allocate(Shape.of(samples, 2), DType.F32);
      long kernel = kernels.typed("guide_deviations");
      kernels
          .arguments()
          .pointer(address(uncond))
          .pointer(address(text))
          .pointer(address(scale))
          .pointer(address(result))
          .wide(text.elements() / samples);
      kernels.launch(kernel, samples, 1, 1, DEVIATION_THREADS, 0);
      return result;
    }

    long deviations() {
      return deviations.map(CudaTensors::address).orElse(0L);
    }

    @Override
    public void close() {
      scale.close();
      rescale.close();
      deviations.ifPresent(Tensor::close);
    }
  }

  Tensor guide(Tensor uncond, Tensor text, float[] scale, float[] rescale) {
    try (Arena arena = Arena.ofConfined();
        Guidance guidance = new Guidance(uncond, text, scale, rescale, arena)) {
      return tensors.produce(
          text.shape(),
          out -> {
            long kernel = kernels.typed("guide");
            kernels
                .arguments()
                .pointer(address(uncond))
                .pointer(address(text))
                .pointer(address(guidance.scale))
                .pointer(address(guidance.rescale))
                .pointer(guidance.deviations())
                .pointer(address(out))
                .wide(text.elements())
                .wide(text.elements() / text.shape().dim(0));
            kernels.launchOver(kernel, text.elements());
          });
    }
  }

  Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    return launchStep(sample, model, Optional.empty(), 0, 0, 0, history, noise, coefficients);
  }

  /** Guidance and step in one kernel. */
  Ops.Stepped guidedStep(
      Tensor sample,
      Tensor uncond,
      Tensor text,
      float[] scale,
      float[] rescale,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    try (Arena arena = Arena.ofConfined();
        Guidance guidance = new Guidance(uncond, text, scale, rescale, arena)) {
      return launchStep(
          sample,
          uncond,
          Optional.of(text),
          address(guidance.scale),
          address(guidance.rescale),
          guidance.deviations(),
          history,
          noise,
          coefficients);
    }
  }

  private Ops.Stepped launchStep(
      Tensor sample,
      Tensor model,
      Optional<Tensor> text,
      long scale,
      long rescale,
      long deviations,
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
        Tensor numbers =
            tensors.parameters(
                encode(arena, coefficients),
                DType.F64,
                (long) COEFFICIENTS * coefficients.size())) {
      Tensor[] both = new Tensor[2];
      both[0] =
          tensors.produce(
              sample.shape(),
              previous ->
                  both[1] =
                      tensors.produce(
                          sample.shape(),
                          predicted -> {
                            long kernel = kernels.typed("step");
                            kernels
                                .arguments()
                                .pointer(address(sample))
                                .pointer(address(model))
                                .pointer(text.map(CudaTensors::address).orElse(0L))
                                .pointer(scale)
                                .pointer(rescale)
                                .pointer(deviations)
                                .pointer(history.map(CudaTensors::address).orElse(0L))
                                .pointer(noise.map(CudaTensors::address).orElse(0L))
                                .pointer(address(numbers))
                                .pointer(address(previous))
                                .pointer(address(predicted))
                                .wide(sample.elements())
                                .wide(sample.elements() / sample.shape().dim(0));
                            kernels.launchOver(kernel, sample.elements());
                          }));
      return new Ops.Stepped(both[0], both[1]);
    }
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

  /**
   * A rough picture of latents [n, h, w, channels]: factors [channels, 3] and a bias [3], row-major
   * RGB bytes, one pixel per latent.
   */
  byte[] preview(Tensor latents, float[] factorsAndBias) {
    Shapes.image(latents);
    int channels = latents.shape().intDim(3);
    Shapes.require(factorsAndBias.length == 3 * channels + 3, "not channels x 3 + 3", latents);
    long pixels = latents.elements() / channels;
    try (Arena arena = Arena.ofConfined();
        Tensor factors =
            tensors.parameters(
                arena.allocateFrom(ValueLayout.JAVA_FLOAT, factorsAndBias),
                DType.F32,
                factorsAndBias.length);
        Tensor bytes = tensors.allocate(Shape.of(pixels, 3), DType.U8)) {
      long kernel = kernels.typed("latent_preview");
      kernels
          .arguments()
          .pointer(address(latents))
          .pointer(address(factors))
          .pointer(address(bytes))
          .wide(pixels)
          .number(channels);
      kernels.launchOver(kernel, 3 * pixels);
      return tensors.downloadBytes(bytes);
    }
  }
}

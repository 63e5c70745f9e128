package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.Sample;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A process of its own that opens the GPU as a worker does, on a library with the name and the
 * calling convention of CUDA's runtime (sampler-native/src/main/emulator/cudart.cpp), and says what
 * it saw. See {@link FfmCudaRuntimeTest}.
 */
final class EmulatedGpu {
  private static final Path MODELS = Path.of("src/test/golden/models");
  static final List<String> NAMES = List.of("sd-tiny");
  static final DeviceOptions OPTIONS = DeviceOptions.defaults().withPrecision(Precision.FP16);

  private EmulatedGpu() {}

  public static void main(String[] arguments) throws Throwable {
    try (Device device = Devices.open("cuda:GPU-1011", OPTIONS)) {
      System.out.println("description: " + device.description());
      for (String model : NAMES) {
        System.out.println("bits: " + pictures(device, model));
      }
    }
    System.out.println("bytes left: " + ask("tt_cudart_bytes_taken"));
    System.out.println("events left: " + ask("tt_cudart_events_alive"));
    System.out.println("graphs left: " + ask("tt_cudart_graphs_alive"));
    Device device = Devices.open("cuda", OPTIONS);
    Tensor x = device.ops().upload(new float[] {1, 2}, Shape.of(1, 2));
    Linker.nativeLinker()
        .downcallHandle(
            SymbolLookup.loaderLookup().findOrThrow("tt_cudart_fault"), FunctionDescriptor.ofVoid())
        .invokeExact();
    for (int i = 0; i < 2; i++) {
      try {
        device.ops().download(x);
        System.out.println("no fault");
      } catch (DeviceException e) {
        System.out.println("fault: " + e.code() + " " + e.isSticky() + " " + e.getMessage());
      }
    }
    device.close();
    System.out.println("end");
  }

  private static long ask(String function) throws Throwable {
    return (long)
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.loaderLookup().findOrThrow(function), FunctionDescriptor.of(JAVA_LONG))
            .invokeExact();
  }

  /**
   * Two samples together, then one alone, launched and replayed, each step handed over before the
   * one before it is done, and a decode; by their bits.
   */
  static List<Integer> pictures(Device device, String model) {
    List<Integer> found = new ArrayList<>();
    try (DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve(model), device, LoadOptions.defaults());
        Sample first = pipeline.admit(Recipe.of("a red cat", 32, 32, 1).withSteps(6));
        Sample second = pipeline.admit(Recipe.of("a dog", 32, 32, 2).withSteps(6))) {
      for (int i = 0; i < 3; i++) {
        pipeline.stepAhead(List.of(first, second));
      }
      for (int i = 0; i < 3; i++) {
        pipeline.stepAhead(List.of(second));
      }
      for (float[] values :
          List.of(
              pipeline.latents(first), pipeline.latents(second), pipeline.decodeToFloats(second))) {
        found.add(Arrays.hashCode(values));
      }
    }
    return found;
  }
}

package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.golden.GoldenRow;
import dev.tintype.sampler.golden.GoldenRunner;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Golden cases on CudaOps with the kernels emulated: whole networks and a whole pipeline through
 * the launches that a GPU would get, in all three storage types.
 */
@Tag("slow")
class CudaGoldenTest {
  private static final Path ROOT = Path.of("src/test/golden");

  @BeforeAll
  static void emulator() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
  }

  @ParameterizedTest
  @CsvSource({
    "text_encoder-clip-l-tiny, FP32",
    "text_encoder-clip-bigg-tiny, FP32",
    "unet-sd15-tiny, FP32",
    "unet-sdxl-tiny, FP32",
    "vae-sd-tiny, FP32",
    "safety-tiny, FP32",
    "upscaler-rrdb-x2-tiny, FP32",
    "scheduler-dpmpp-2m-karras, FP32",
    "guidance-cfg, FP32",
    "txt2img-sd-tiny-nocfg, FP32",
    "unet-d40-tiny, FP16",
    "vae-sd-tiny, FP16",
    "text_encoder-clip-l-tiny, FP16",
    "unet-sd21-tiny, BF16",
  })
  void passes(String name, Precision precision) {
    EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
    GoldenRow row;
    try (CudaDevice device =
        CudaDevice.open(
            runtime,
            0,
            DeviceOptions.defaults().withPrecision(precision),
            EmulatedCudaRuntime.LIBRARIES)) {
      row = new GoldenRunner(ROOT, device).run(ROOT.resolve("cases").resolve(name));
      assertThat(device.bytesUsed()).as("workspace still in use").isZero();
    }
    System.out.println(row.line());
    // The 16-bit tolerance fits fp16. bf16 keeps three bits less, and errors scale with that.
    double factor = precision == Precision.BF16 ? 8 : 1;
    assertThat(row.maxAbsError()).as(row.line()).isLessThanOrEqualTo(factor * row.tolerance());
    assertThat(runtime.bytesTaken()).as("memory not given back").isZero();
  }
}

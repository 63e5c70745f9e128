package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class KernelsTest {

  @Test
  void everyNameIsInTheFatbinAndNoOther() throws Exception {
    assumeTrue(Kernels.arePresent(), "no nvcc: this build has no kernels");
    try (InputStream in = Kernels.class.getResourceAsStream(Kernels.INDEX)) {
      String index = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(index.lines()).containsExactlyElementsOf(Kernels.names());
    }
  }

  @Test
  void everyNameIsInTheEmulatorAndNoOther() throws Throwable {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
    assertThat(EmulatedCudaRuntime.kernelNames()).containsExactlyElementsOf(Kernels.names());
  }

  @Test
  void argumentsLieInSlotsOfEightBytes() {
    try (Arena arena = Arena.ofConfined()) {
      KernelArguments arguments = new KernelArguments(arena);
      arguments.start().wide(-1).wide(-1);
      arguments
          .start()
          .pointer(0x7f00_0000_1000L)
          .number(-7)
          .real(0.5f)
          .wide(1L << 40)
          .wideReal(-2.25);
      MemorySegment pointers = arguments.pointers();
      assertThat(arguments.count()).isEqualTo(5);
      assertThat(value(pointers, 0).get(JAVA_LONG, 0)).isEqualTo(0x7f00_0000_1000L);
      assertThat(value(pointers, 1).get(JAVA_INT, 0)).isEqualTo(-7);
      assertThat(value(pointers, 2).get(JAVA_FLOAT, 0)).isEqualTo(0.5f);
      assertThat(value(pointers, 3).get(JAVA_LONG, 0)).isEqualTo(1L << 40);
      assertThat(value(pointers, 4).get(JAVA_DOUBLE, 0)).isEqualTo(-2.25);
      KernelArguments full = arguments.start();
      for (int i = 0; i < KernelArguments.ARGUMENTS_MAX; i++) {
        full.number(i);
      }
      assertThatThrownBy(() -> full.number(0)).isInstanceOf(IllegalStateException.class);
    }
  }

  private static MemorySegment value(MemorySegment pointers, int index) {
    return pointers.getAtIndex(ADDRESS, index).reinterpret(8);
  }

  @Test
  void attentionTakesTheNarrowestKernelThatFits() {
    assertThat(CudaAttention.variant(DType.F16, 40).kernel()).isEqualTo("attention_mma_48");
    assertThat(CudaAttention.variant(DType.BF16, 64).kernel()).isEqualTo("attention_mma_64");
    assertThat(CudaAttention.variant(DType.F16, 72).kernel()).isEqualTo("attention_mma_80");
    assertThat(CudaAttention.variant(DType.F16, 160).kernel()).isEqualTo("attention_mma_160");
    assertThat(CudaAttention.variant(DType.F16, 512).kernel()).isEqualTo("attention_simple_512");
    assertThat(CudaAttention.variant(DType.F16, 36).kernel()).isEqualTo("attention_simple_64");
    assertThat(CudaAttention.variant(DType.F32, 40).kernel()).isEqualTo("attention_simple_64");
    // No block may need more than the 48 KiB that every card gives without asking.
    for (int dim = 8; dim <= 160; dim += 8) {
      assertThat(CudaAttention.variant(DType.F16, dim).sharedBytes())
          .isLessThanOrEqualTo(48 * 1024);
    }
  }

  @Test
  void bfloat16RoundsToNearestEven() {
    assertThat(CudaTensors.bfloat16(1f)).isEqualTo((short) 0x3f80);
    assertThat(CudaTensors.bfloat16(1f + 0x1p-8f)).isEqualTo((short) 0x3f80);
    assertThat(CudaTensors.bfloat16(1f + 3 * 0x1p-8f)).isEqualTo((short) 0x3f82);
    assertThat(CudaTensors.bfloat16(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
    assertThat(CudaTensors.bfloat16(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xff80);
    assertThat(CudaTensors.bfloat16(Float.NaN)).isEqualTo((short) 0x7fff);
  }
}

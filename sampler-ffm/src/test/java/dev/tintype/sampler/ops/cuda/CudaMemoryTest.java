package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CudaMemoryTest {
  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
  private final Cuda cuda = new Cuda(runtime, 0);

  @Test
  void classesAreAlignedAndWasteAtMostAnEighth() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      long bytes = random.nextLong(1, 1L << random.nextInt(9, 40));
      long size = CudaMemory.sizeClass(bytes);
      assertThat(size).isGreaterThanOrEqualTo(bytes);
      assertThat(size % CudaMemory.ALIGNMENT_BYTES).isZero();
      assertThat(size - bytes).isLessThanOrEqualTo(Math.max(CudaMemory.ALIGNMENT_BYTES, bytes / 8));
      assertThat(CudaMemory.sizeClass(size)).as("a class is its own class").isEqualTo(size);
    }
  }

  @Test
  void aClosedBlockIsHandedOutAgain() {
    try (CudaMemory memory = new CudaMemory(cuda, 1L << 30)) {
      long first = memory.take(1000);
      memory.release(first, 1000);
      assertThat(memory.take(1020)).isEqualTo(first);
      long second = memory.take(1000);
      assertThat(second).isNotEqualTo(first);
      assertThat(runtime.count("cudaMalloc")).isEqualTo(2);
      memory.release(first, 1020);
      memory.release(second, 1000);
      assertThat(memory.bytesUsed()).isZero();
      assertThat(memory.bytesHeld()).isEqualTo(2048);
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void pinnedMemoryIsCountedAndGivenBack() {
    try (CudaMemory memory = new CudaMemory(cuda, 1L << 30)) {
      long weights = memory.pin(5000);
      assertThat(memory.bytesHeld()).isEqualTo(5000);
      memory.unpin(weights, 5000);
      assertThat(memory.bytesHeld()).isZero();
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void graphsShareTheirScratchAndNobodyElseHasIt() {
    try (CudaMemory memory = new CudaMemory(cuda, 1L << 30)) {
      long first = record(memory, 1000);
      long second = record(memory, 1000);
      assertThat(second).isEqualTo(first);
      assertThat(memory.bytesUsed()).isZero();
      assertThat(memory.bytesHeld()).isEqualTo(1024);
      long other = memory.take(1000);
      assertThat(other).isNotEqualTo(first);
      memory.forgetRecording();
      assertThat(memory.take(1000)).as("the second graph lives").isNotEqualTo(first);
      memory.forgetRecording();
      assertThat(memory.take(1000)).isEqualTo(first);
    }
  }

  private static long record(CudaMemory memory, long bytes) {
    memory.startRecording();
    long block = memory.take(bytes);
    memory.release(block, bytes);
    memory.endRecording();
    return block;
  }
}

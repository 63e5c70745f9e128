package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Spare;
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

  /** Something that can be made anew: a block, given back when asked. */
  private static final class Block implements Spare {
    private final CudaMemory memory;
    private long address;
    private boolean inUse;

    Block(CudaMemory memory) {
      this.memory = memory;
      address = memory.take(BYTES);
      memory.addSpare(this);
    }

    private static final long BYTES = 1 << 20;

    @Override
    public long bytes() {
      return address == 0 || inUse ? 0 : BYTES;
    }

    @Override
    public void giveUp() {
      if (bytes() > 0) {
        memory.release(address, BYTES);
        address = 0;
      }
    }
  }

  @Test
  void whatCanBeMadeAnewGoesBeforeARequestFails() {
    try (CudaMemory memory = new CudaMemory(cuda, 4 * Block.BYTES)) {
      Block spare = new Block(memory);
      Block busy = new Block(memory);
      busy.inUse = true;
      memory.release(memory.take(Block.BYTES), Block.BYTES);
      assertThat(memory.bytesFree()).isEqualTo(3 * Block.BYTES);

      long first = memory.take(2 * Block.BYTES);
      assertThat(spare.address).as("unused blocks were enough").isNotZero();
      long second = memory.take(Block.BYTES);
      assertThat(spare.address).as("now it had to go").isZero();
      assertThat(busy.address).as("somebody reads it").isNotZero();
      assertThatThrownBy(() -> memory.take(Block.BYTES))
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY));

      busy.inUse = false;
      long third = memory.take(Block.BYTES);
      memory.removeSpare(busy);
      memory.release(first, 2 * Block.BYTES);
      memory.release(second, Block.BYTES);
      memory.release(third, Block.BYTES);
      assertThat(memory.bytesUsed()).isZero();
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void theDriversRefusalCountsAsWell() {
    try (CudaMemory memory = new CudaMemory(cuda, 1L << 40)) {
      Block spare = new Block(memory);
      runtime.failNext("cudaMalloc", 2);
      memory.release(memory.take(4096), 4096);
      assertThat(spare.address).isZero();
      // Weights too.
      Block other = new Block(memory);
      runtime.failNext("cudaMalloc", 2, 2);
      memory.unpin(memory.pin(5000), 5000);
      assertThat(other.address).isZero();
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void whatCanBeDoneWithoutTakesNothingFromOthers() {
    try (CudaMemory memory = new CudaMemory(cuda, 2 * Block.BYTES)) {
      Block spare = new Block(memory);
      assertThat(memory.takeIfFree(2 * Block.BYTES)).isEmpty();
      runtime.failNext("cudaMalloc", 2);
      assertThat(memory.takeIfFree(Block.BYTES)).isEmpty();
      assertThat(spare.address).isNotZero();
      long taken = memory.takeIfFree(Block.BYTES).orElseThrow();
      memory.release(taken, Block.BYTES);
      spare.giveUp();
      assertThat(memory.bytesUsed()).isZero();
    }
  }

  /** Giving back waits for the GPU, which ends a recording. */
  @Test
  void nothingIsGivenBackWhileAGraphIsRecorded() {
    try (CudaMemory memory = new CudaMemory(cuda, 2 * Block.BYTES)) {
      Block spare = new Block(memory);
      memory.release(memory.take(1000), 1000);
      memory.startRecording();
      assertThatThrownBy(() -> memory.take(2 * Block.BYTES)).isInstanceOf(DeviceException.class);
      assertThat(memory.trim()).isFalse();
      assertThat(spare.address).isNotZero();
      assertThat(runtime.count("cudaFree")).isZero();
      memory.endRecording();
      memory.forgetRecording();
      assertThat(memory.makeRoom()).isTrue();
      assertThat(memory.makeRoom()).as("there is no more").isFalse();
      assertThat(memory.bytesHeld()).isZero();
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

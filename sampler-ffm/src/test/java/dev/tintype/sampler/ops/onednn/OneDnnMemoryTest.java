package dev.tintype.sampler.ops.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PhiloxNormal;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Native memory does not grow, whatever is called how often, and ends at nothing. */
class OneDnnMemoryTest {
  private static final int CHANNELS = 32;

  private static HostTensor random(long... dims) {
    float[] values = new float[(int) Shape.of(dims).elements()];
    PhiloxNormal.fill(dims.length, 7, values, 0, values.length);
    return HostTensor.of("test", values, dims);
  }

  /** Weights of a small block, and one run through it. */
  private record Block(
      PreparedWeights.Conv2d conv, PreparedWeights.Linear linear, PreparedWeights.Norm norm)
      implements AutoCloseable {
    static Block on(Ops ops) {
      return new Block(
          ops.prepareConv2d(
              random(CHANNELS, CHANNELS, 3, 3),
              Optional.of(random(CHANNELS)),
              Conv2dGeometry.square(3, 1, 1)),
          ops.prepareLinear(random(CHANNELS, CHANNELS), Optional.empty()),
          ops.prepareNorm(random(CHANNELS), random(CHANNELS)));
    }

    void run(Ops ops, int side) {
      try (Tensor x = ops.zeros(Shape.of(2, side, side, CHANNELS));
          Tensor bias = ops.zeros(Shape.of(2, CHANNELS));
          Tensor normal =
              ops.groupNorm(
                  x, Optional.of(new ChannelBias(bias, 0)), norm, 8, 1e-5f, Activation.SILU);
          Tensor y = ops.conv2d(normal, conv, Epilogue.NONE.withResidual(x));
          Tensor tokens = ops.linear(y.reshape(2, side * side, CHANNELS), linear, Epilogue.NONE);
          Tensor seen = ops.attention(tokens, tokens, tokens, 4, 0.3f, true);
          Tensor gated = ops.geglu(seen)) {
        assertThat(gated.shape().dim(-1)).isEqualTo(CHANNELS / 2);
      }
    }

    @Override
    public void close() {
      conv.close();
      linear.close();
      norm.close();
    }
  }

  /** What the C library has handed out and not got back; the Java heap is not in it. */
  private static long nativeBytes() {
    Linker linker = Linker.nativeLinker();
    StructLayout layout =
        MemoryLayout.structLayout(MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG));
    MethodHandle mallinfo2 =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mallinfo2"), FunctionDescriptor.of(layout));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
      long mapped = info.getAtIndex(ValueLayout.JAVA_LONG, 4);
      return mapped + info.getAtIndex(ValueLayout.JAVA_LONG, 7);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void staysFlatOverThousandsOfCalls() {
    try (OneDnnDevice device = OneDnnDevice.open(DeviceOptions.defaults());
        Block block = Block.on(device.ops())) {
      for (int i = 0; i < 2000; i++) {
        block.run(device.ops(), 8);
      }
      long held = device.bytesHeld();
      long least = Long.MAX_VALUE;
      // What leaks does so in each round; the JVM's compilers borrow from the same heap now and
      // then.
      for (int round = 0; round < 3; round++) {
        long before = nativeBytes();
        for (int i = 0; i < 4000; i++) {
          block.run(device.ops(), 8);
        }
        least = Math.min(least, nativeBytes() - before);
      }
      // 24,000 primitive runs a round; one leaked descriptor each would be 20 MB.
      assertThat(least).isLessThan(8L << 20);
      assertThat(device.bytesHeld()).isEqualTo(held);
      assertThat(device.workspaceBytesInUse()).isZero();
    }
  }

  @Test
  void evictedPrimitivesAreDestroyed() {
    try (OneDnnDevice device = OneDnnDevice.open(DeviceOptions.defaults(), 8);
        Block block = Block.on(device.ops())) {
      for (int i = 0; i < 200; i++) {
        block.run(device.ops(), 2 + i % 10);
      }
      long before = nativeBytes();
      for (int i = 0; i < 200; i++) {
        block.run(device.ops(), 2 + i % 10);
      }
      // 1,000 primitives made and destroyed; each is some 50 kB.
      assertThat(nativeBytes() - before).isLessThan(16L << 20);
    }
  }

  @Test
  void everythingGoesBackAtTheEnd() {
    OneDnnDevice device = OneDnnDevice.open(DeviceOptions.defaults());
    Block block = Block.on(device.ops());
    block.run(device.ops(), 9);
    assertThat(device.workspaceBytesPeak()).isPositive();
    block.close();
    device.close();
    assertThat(device.bytesHeld()).isZero();
  }

  @Test
  void theBoundHolds() {
    DeviceOptions small = DeviceOptions.defaults().withWorkspaceBytesMax(1 << 20);
    try (OneDnnDevice device = OneDnnDevice.open(small)) {
      for (int i = 1; i < 50; i++) {
        // Blocks of other sizes are given back to the system to make room.
        device.ops().zeros(Shape.of(1, i * 5000L)).close();
      }
      assertThat(device.bytesHeld()).isLessThanOrEqualTo(1 << 20);
      assertThatThrownBy(() -> device.ops().zeros(Shape.of(1, 1 << 20)))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.code()).isEqualTo("device.out_of_memory"))
          .hasMessageContaining("smaller picture");
    }
  }
}

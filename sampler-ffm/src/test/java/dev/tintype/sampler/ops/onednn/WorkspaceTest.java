package dev.tintype.sampler.ops.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import org.junit.jupiter.api.Test;

class WorkspaceTest {

  @Test
  void sizeClassesWasteAtMostAQuarter() {
    for (long bytes = 1; bytes < 3_000_000; bytes += 977) {
      long size = Workspace.sizeClass(bytes);
      assertThat(size)
          .isGreaterThanOrEqualTo(bytes)
          .isLessThanOrEqualTo(Math.max(4096, bytes * 5 / 4 + 1));
      assertThat(Workspace.sizeClass(size)).isEqualTo(size);
    }
  }

  @Test
  void blocksAreAlignedAndRecycled() {
    try (Workspace workspace = new Workspace(1 << 20)) {
      Tensor first = workspace.tensor(Shape.of(1, 3000));
      long address = first.data().address();
      assertThat(address % 64).isZero();
      first.close();
      first.close();
      assertThat(workspace.bytesInUse()).isZero();
      try (Tensor second = workspace.tensor(Shape.of(3, 1000))) {
        assertThat(second.data().address()).isEqualTo(address);
      }
    }
  }

  @Test
  void aTensorMayOutliveItsWorkspace() {
    Workspace workspace = new Workspace(1 << 20);
    Tensor tensor = workspace.tensor(Shape.of(1, 10));
    workspace.close();
    assertThat(workspace.bytesHeld()).isPositive();
    tensor.close();
    assertThat(workspace.bytesHeld()).isZero();
  }
}

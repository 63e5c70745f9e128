package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BatchSizeTest {
  private static void calm(BatchSize size, int steps) {
    for (int i = 0; i < steps; i++) {
      size.stepped(size.max());
    }
  }

  @Test
  void growsBackOneByOneUpToItsLimitAndNeverBeyond() {
    BatchSize size = new BatchSize(4);
    calm(size, 10_000);
    assertThat(size.max()).isEqualTo(4);
    size.outOfMemory(4);
    assertThat(size.max()).isEqualTo(2);
    calm(size, 2 * BatchSize.CALM_STEPS - 1);
    assertThat(size.max()).isEqualTo(2);
    calm(size, 1);
    assertThat(size.max()).isEqualTo(3);
    calm(size, 10_000);
    assertThat(size.max()).isEqualTo(4);
  }

  @Test
  void everyHalvingDoublesTheWait() {
    BatchSize size = new BatchSize(2);
    size.outOfMemory(2);
    calm(size, 2 * BatchSize.CALM_STEPS);
    assertThat(size.max()).isEqualTo(2);
    size.outOfMemory(2);
    calm(size, 4 * BatchSize.CALM_STEPS - 1);
    assertThat(size.max()).isEqualTo(1);
    calm(size, 1);
    assertThat(size.max()).isEqualTo(2);
  }

  @Test
  void smallerBatchesSayNothing() {
    BatchSize size = new BatchSize(8);
    size.outOfMemory(8);
    for (int i = 0; i < 10_000; i++) {
      size.stepped(3);
    }
    assertThat(size.max()).isEqualTo(4);
  }
}

package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class ScratchTest {
  private final Scratch scratch = new Scratch(1);

  @Test
  void nobodySharesABufferInUse() {
    try (Arena one = Arena.ofConfined();
        Arena two = Arena.ofConfined()) {
      long first = scratch.take(10, one).address();
      assertThat(scratch.take(10, two).address()).isNotEqualTo(first);
    }
  }

  @Test
  void whatIsGivenBackIsUsedAgainAndHasTheSizeThatWasAskedFor() {
    long first;
    try (Arena one = Arena.ofConfined()) {
      first = scratch.take(10, one).address();
    }
    try (Arena two = Arena.ofConfined()) {
      assertThat(scratch.take(Scratch.KEPT_BYTES, two).address()).isEqualTo(first);
    }
    try (Arena three = Arena.ofConfined()) {
      assertThat(scratch.take(3, three).byteSize()).isEqualTo(3);
    }
  }

  @Test
  void aLargeOneIsNotKept() {
    try (Arena one = Arena.ofConfined()) {
      assertThat(scratch.take(Scratch.KEPT_BYTES + 1, one).byteSize())
          .isEqualTo(Scratch.KEPT_BYTES + 1);
    }
    long small;
    try (Arena two = Arena.ofConfined()) {
      small = scratch.take(1, two).address();
    }
    try (Arena three = Arena.ofConfined()) {
      assertThat(scratch.take(1, three).address()).isEqualTo(small);
    }
  }
}

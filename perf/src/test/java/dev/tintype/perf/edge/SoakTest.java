package dev.tintype.perf.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.edge.vips.VipsLibrary;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The encoder's memory over some thousand conversions; {@code bench edge --soak} has more. */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
final class SoakTest {
  @Test
  void memoryStaysFlat() throws Exception {
    assumeTrue(VipsLibrary.load(Optional.empty()) instanceof VipsLibrary.Ready, "libvips is here");
    Soak soak = Soak.run(3_000, 300);
    assertThat(soak.flat()).as(soak.toString()).isTrue();
  }
}

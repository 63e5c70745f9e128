package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nothing grows with the number of pictures. */
@Tag("slow")
class MemoryTest {
  private static final Path MODEL = Path.of("src/test/golden/models/sd-tiny");
  private static final int WARM_UP = 20;
  private static final int PICTURES = 200;

  /** What the process may gain: the heap's and the allocator's own moves. */
  private static final long GROWTH_BYTES_MAX = 48L << 20;

  @Test
  void twoHundredPicturesHoldNoMoreThanTwenty() throws IOException {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      long empty = device.bytesHeld();
      long held;
      try (DiffusionPipeline pipeline =
          DiffusionPipeline.load(MODEL, device, LoadOptions.defaults())) {
        for (int i = 0; i < WARM_UP; i++) {
          picture(pipeline, i);
        }
        // Weights, and the workspace that the device keeps for the next picture.
        held = device.bytesHeld();
        assertThat(held).isGreaterThan(empty);
        long resident = residentBytes();
        for (int i = 0; i < PICTURES; i++) {
          picture(pipeline, i);
        }
        // A thread that had nothing to do before may take a block of scratch late; a leak of the
        // smallest block per picture would be four times this.
        assertThat(device.bytesHeld() - held).isLessThanOrEqualTo(PICTURES * 1024L);
        assertThat(residentBytes() - resident).isLessThan(GROWTH_BYTES_MAX);
      }
      assertThat(device.bytesHeld()).as("weights go with the model").isLessThan(held);
    }
  }

  private static void picture(DiffusionPipeline pipeline, int seed) {
    try (Sample sample = pipeline.admit(Recipe.of("a red sun", 32, 32, seed).withSteps(1))) {
      pipeline.step(List.of(sample));
      pipeline.decode(sample);
    }
  }

  /** Without the Java heap, which the garbage collector sizes. */
  private static long residentBytes() throws IOException {
    System.gc();
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
      if (line.startsWith("Rss:")) {
        long heap = Runtime.getRuntime().totalMemory();
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024 - heap;
      }
    }
    throw new IOException("no Rss in smaps_rollup");
  }
}

package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.VariantSpec;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Damage of every kind, thousands of times: an answer or a refusal with a code, and no native
 * memory left behind.
 */
final class HostileTest {
  private static final int TRIES = 400;
  private static final int IDLE_MS_MAX = 5_000;
  private static final long SEED = 20261123;

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void damagedOriginalsNeitherCrashNorLeak(ImageFormat input) throws IOException {
    EdgeConfig.Encoder encoder = EdgeConfig.Encoder.defaults();
    EdgeConfig.Limits base = EdgeConfig.Limits.defaults();
    // A damaged header may promise any size; the budget is kept small so that the test stays short.
    EdgeConfig.Limits limits =
        new EdgeConfig.Limits(
            1 << 20, 1 << 20, base.sidePxMax(), 1, 1, 1, 1000, 1, 1, 1000, 1 << 20, 0);
    Transcoder transcoder = new Transcoder(Loaded.vips(), encoder, limits);
    VariantSpec same = Operations.none().resolve(input, 8192, encoder::quality);
    VariantSpec small =
        Operations.none().width(24).resolve(ImageFormat.JPEG, 8192, encoder::quality);
    byte[] whole = transcode(transcoder, Pictures.withXmp(Pictures.png(48, 40)), same);
    RandomGenerator random = new Random(SEED);
    int refused = 0;
    for (int i = 0; i < TRIES; i++) {
      try {
        assertThat(transcode(transcoder, damaged(whole, random), small)).isNotEmpty();
      } catch (EdgeException.Unsupported e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(TRIES / 20, TRIES);
    awaitIdle();
    assertThat(Vips.vips_tracked_get_allocs()).as("buffers of libvips still alive").isZero();
    assertThat(Vips.vips_tracked_get_mem()).as("bytes of libvips still alive").isZero();
  }

  /**
   * A worker thread of libvips gives its buffers back just after it has reported its work as done.
   */
  private static void awaitIdle() {
    long endNs = System.nanoTime() + IDLE_MS_MAX * 1_000_000L;
    while (Vips.vips_tracked_get_allocs() != 0 && System.nanoTime() < endNs) {
      Thread.yield();
    }
  }

  private static byte[] transcode(Transcoder transcoder, byte[] bytes, VariantSpec spec)
      throws IOException {
    return transcoder.transcode(new OriginalImage.InMemory(bytes), spec, new KillSwitch());
  }

  private static byte[] damaged(byte[] whole, RandomGenerator random) {
    byte[] bytes = whole.clone();
    int kind = random.nextInt(4);
    if (kind == 0) {
      return Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    int from =
        kind == 1 ? random.nextInt(Math.min(64, bytes.length)) : random.nextInt(bytes.length);
    int count = kind == 3 ? 32 : 1 + random.nextInt(4);
    for (int i = from; i < Math.min(bytes.length, from + count); i++) {
      bytes[i] = (byte) random.nextInt(256);
    }
    return bytes;
  }
}

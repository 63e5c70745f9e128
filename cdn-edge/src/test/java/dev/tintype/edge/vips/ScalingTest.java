package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Metadata;
import dev.tintype.edge.url.Operations;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ways to a size: the cheap one gives the pixels of the general ones, bit for bit. */
class ScalingTest {
  private static Transcoder transcoder;
  private static VipsCalls calls;

  @BeforeAll
  static void load() {
    transcoder =
        new Transcoder(Loaded.vips(), EdgeConfig.Encoder.defaults(), EdgeConfig.Limits.defaults());
    calls = new VipsCalls();
  }

  /** A step of the chain. */
  private interface Way {
    void go(Arena arena, ImageChain chain, MemorySegment data);
  }

  private static byte[] pixels(byte[] png, int width, int height, Way way) {
    try (Arena arena = Arena.ofConfined();
        ImageChain chain = new ImageChain(arena, new KillSwitch())) {
      MemorySegment data = arena.allocate(png.length);
      MemorySegment.copy(MemorySegment.ofArray(png), 0, data, 0, png.length);
      chain.take(calls.open(data));
      way.go(arena, chain, data);
      assertThat(chain.width()).isEqualTo(width);
      assertThat(chain.height()).isEqualTo(height);
      MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment made = Vips.vips_image_write_to_memory(chain.image(), size);
      byte[] bytes =
          made.reinterpret(size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
      Vips.g_free(made);
      return bytes;
    }
  }

  @ParameterizedTest
  @CsvSource({"200,150", "133,100", "399,299", "7,5", "1,1", "400,300", "640,480", "399,31"})
  void aPlainPictureIsScaledTheSameByAllThreeWays(int width, int height) {
    byte[] png = Pictures.png(400, 300);
    Geometry geometry =
        Geometry.of(
            400,
            300,
            Operations.parse("w:" + width + ",h:" + height + ",fit:contain")
                .resolve(ImageFormat.PNG, 8192, format -> 80));
    int w = geometry.scaledWidth();
    int h = geometry.scaledHeight();
    byte[] cheap =
        pixels(
            png,
            w,
            h,
            (arena, chain, data) ->
                Scaling.toSize(
                    calls, arena, chain, data, ImageFormat.PNG, geometry, Metadata.KEEP));
    assertThat(cheap)
        .isEqualTo(
            pixels(
                png,
                w,
                h,
                (arena, chain, data) ->
                    chain.then("image", (in, out) -> calls.scale(in, out, w, h, false))))
        .isEqualTo(
            pixels(
                png,
                w,
                h,
                (arena, chain, data) ->
                    chain.then("buffer", (in, out) -> calls.thumbnail(data, out, w, h, false))));
  }

  @Test
  void aGreyPictureStaysGreyWhenItIsStripped() throws IOException {
    BufferedImage scene = Pictures.scene(400, 300, false);
    BufferedImage grey = new BufferedImage(400, 300, BufferedImage.TYPE_BYTE_GRAY);
    grey.getGraphics().drawImage(scene, 0, 0, null);
    byte[] made =
        transcoder.transcode(
            new OriginalImage.InMemory(Pictures.encode(grey, "png")),
            Operations.parse("w:64,strip").resolve(ImageFormat.PNG, 8192, format -> 80),
            new KillSwitch());
    assertThat(Pictures.decode(made).getRaster().getNumBands()).isEqualTo(1);
  }
}

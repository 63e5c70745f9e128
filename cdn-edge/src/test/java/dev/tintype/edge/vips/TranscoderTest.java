package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.Fit;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.VariantSpec;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferUShort;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class TranscoderTest {
  private static Transcoder transcoder;

  @BeforeAll
  static void load() {
    transcoder =
        new Transcoder(Loaded.vips(), EdgeConfig.Encoder.defaults(), EdgeConfig.Limits.defaults());
  }

  /**
   * Every input format x output format x operation, as [input, output, operations, width, height of
   * the result].
   */
  static Stream<Arguments> matrix() {
    record Case(String operations, int width, int height) {}
    List<Case> cases =
        List.of(
            new Case("full", 400, 300),
            new Case("w:200", 200, 150),
            new Case("h:100", 133, 100),
            new Case("h:100,w:100", 100, 75),
            new Case("fit:cover,h:100,w:100", 100, 100),
            new Case("fit:contain,h:100,w:100", 100, 100),
            new Case("dpr:2,w:64", 128, 96),
            new Case("w:4000", 400, 300),
            new Case("fit:cover,h:1000,w:2000", 400, 200),
            new Case("thumb", 256, 256),
            new Case("q:30,w:200", 200, 150));
    List<Arguments> all = new ArrayList<>();
    for (ImageFormat input : ImageFormat.values()) {
      for (ImageFormat output : ImageFormat.values()) {
        cases.forEach(
            each -> all.add(Arguments.of(input, output, each.operations, each.width, each.height)));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("matrix")
  void everyFormatToEveryFormatLooksLikeItsOriginal(
      ImageFormat input, ImageFormat output, String text, int width, int height)
      throws IOException {
    VariantSpec spec = spec(text, output);
    byte[] variant = make(original(input), spec);
    assertThat(ImageSniffer.format(variant)).contains(output);
    Decoded decoded = Decoded.of(variant);
    assertThat(decoded.width()).as("width").isEqualTo(width);
    assertThat(decoded.height()).as("height").isEqualTo(height);
    assertThat(similarity(decoded, expected(spec, width, height)))
        .as("structural similarity")
        .isGreaterThan(0.9);
  }

  private static VariantSpec spec(String text, ImageFormat output) {
    return Operations.parse(text).resolve(output, 8192, EdgeConfig.Encoder.defaults()::quality);
  }

  private static byte[] original(ImageFormat format) throws IOException {
    byte[] png = Pictures.png(400, 300);
    VariantSpec same =
        new VariantSpec(OptionalInt.empty(), OptionalInt.empty(), Fit.INSIDE, format, 95);
    return format == ImageFormat.PNG ? png : make(png, same);
  }

  private static byte[] make(byte[] original, VariantSpec spec) throws IOException {
    return transcoder.transcode(new OriginalImage.InMemory(original), spec, new KillSwitch());
  }

  /** What the JDK makes of the scene: the reference that has nothing to do with libvips. */
  private static BufferedImage expected(VariantSpec spec, int width, int height) {
    BufferedImage scene = Pictures.scene(400, 300, false);
    BufferedImage result = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = result.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    double scale =
        spec.fit() == Fit.COVER
            ? Math.max(width / 400.0, height / 300.0)
            : Math.min(width / 400.0, height / 300.0);
    int w = (int) Math.round(400 * scale);
    int h = (int) Math.round(300 * scale);
    g.drawImage(
        scene.getScaledInstance(w, h, Image.SCALE_AREA_AVERAGING),
        (width - w) / 2,
        (height - h) / 2,
        null);
    g.dispose();
    return result;
  }

  /** Mean SSIM (Wang et al. 2004) over 8 x 8 blocks of the green channel; 1 is equal. */
  private static double similarity(Decoded a, BufferedImage b) {
    double sum = 0;
    int blocks = 0;
    for (int top = 0; top + 8 <= a.height(); top += 8) {
      for (int left = 0; left + 8 <= a.width(); left += 8) {
        sum += blockSimilarity(a, b, left, top);
        blocks++;
      }
    }
    return sum / blocks;
  }

  private static double blockSimilarity(Decoded a, BufferedImage b, int left, int top) {
    double sa = 0;
    double sb = 0;
    double saa = 0;
    double sbb = 0;
    double sab = 0;
    for (int y = top; y < top + 8; y++) {
      for (int x = left; x < left + 8; x++) {
        double va = a.at(x, y, 1);
        double vb = (b.getRGB(x, y) >> 8) & 0xff;
        sa += va;
        sb += vb;
        saa += va * va;
        sbb += vb * vb;
        sab += va * vb;
      }
    }
    double ma = sa / 64;
    double mb = sb / 64;
    double c1 = 6.5025;
    double c2 = 58.5225;
    return ((2 * ma * mb + c1) * (2 * (sab / 64 - ma * mb) + c2))
        / ((ma * ma + mb * mb + c1) * ((saa / 64 - ma * ma) + (sbb / 64 - mb * mb) + c2));
  }

  @Test
  void transparencyStaysWhereItCanAndBecomesWhiteWhereItCannot() throws IOException {
    byte[] png = Pictures.pngWithAlpha(200, 200);
    for (ImageFormat format : List.of(ImageFormat.WEBP, ImageFormat.AVIF, ImageFormat.PNG)) {
      Decoded decoded = Decoded.of(make(png, spec("w:100", format)));
      assertThat(decoded.bands()).as("bands of %s", format).isEqualTo(4);
      assertThat(decoded.at(50, 95, 3)).as("alpha of %s", format).isZero();
    }
    Decoded jpeg = Decoded.of(make(png, spec("w:100", ImageFormat.JPEG)));
    assertThat(jpeg.bands()).isEqualTo(3);
    assertThat(jpeg.at(50, 95, 0)).isCloseTo(255, within(3));
  }

  @Test
  void theSameRequestGivesTheSameBytes() throws IOException {
    byte[] png = Pictures.png(300, 200);
    for (ImageFormat format : ImageFormat.values()) {
      assertThat(make(png, spec("w:100", format)))
          .as("%s", format)
          .isEqualTo(make(png, spec("w:100", format)));
    }
  }

  /**
   * EXIF orientation 6: to be shown a quarter turn clockwise. The variant is upright, and says
   * nothing about turning any more.
   */
  @Test
  void aPictureThatLiesOnItsSideIsTurnedUpright() throws IOException {
    byte[] exif =
        HexFormat.of()
            .parseHex(
                "ffe10022"
                    + "457869660000"
                    + "4d4d002a00000008"
                    + "0001"
                    + "011200030000000100060000"
                    + "00000000");
    byte[] jpeg = Pictures.jpeg(400, 300);
    ByteArrayOutputStream turned = new ByteArrayOutputStream();
    turned.write(jpeg, 0, 2);
    turned.writeBytes(exif);
    turned.write(jpeg, 2, jpeg.length - 2);
    byte[] variant = make(turned.toByteArray(), spec("w:150", ImageFormat.JPEG));
    Decoded decoded = Decoded.of(variant);
    assertThat(decoded.width()).isEqualTo(150);
    assertThat(decoded.height()).isEqualTo(200);
    // The dark ground of the scene, its lowest quarter, lies on the left after the turn.
    assertThat(decoded.at(10, 100, 1)).isCloseTo(50, within(12));
    assertThat(Decoded.of(make(variant, spec("full", ImageFormat.PNG))).width()).isEqualTo(150);
  }

  @Test
  void greyPicturesOfSixteenBitsKeepTheirBrightness() throws IOException {
    BufferedImage grey = new BufferedImage(64, 64, BufferedImage.TYPE_USHORT_GRAY);
    short[] samples = ((DataBufferUShort) grey.getRaster().getDataBuffer()).getData();
    Arrays.fill(samples, (short) (180 * 257));
    byte[] png = Pictures.encode(grey, "png");
    for (ImageFormat format : List.of(ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF)) {
      Decoded decoded = Decoded.of(make(png, spec("w:32", format)));
      assertThat(decoded.pixels())
          .as("8 bits a sample in %s", format)
          .hasSize(32 * 32 * decoded.bands());
      assertThat(decoded.at(16, 16, 0)).as("%s", format).isCloseTo(180, within(3));
    }
  }

  @Test
  void onePixelIsAPicture() throws IOException {
    for (ImageFormat format : ImageFormat.values()) {
      Decoded decoded = Decoded.of(make(Pictures.png(1, 1), spec("thumb", format)));
      assertThat(decoded.width() * decoded.height()).as("%s", format).isEqualTo(1);
    }
  }

  static Stream<Arguments> hostile() {
    byte[] png = Pictures.png(400, 300);
    byte[] jpeg = Pictures.jpeg(400, 300);
    byte[] svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".getBytes();
    byte[] heic = {
      0, 0, 0, 24, 'f', 't', 'y', 'p', 'h', 'e', 'i', 'c', 0, 0, 0, 0, 'm', 'i', 'f', '1', 'h', 'e',
      'i', 'c'
    };
    byte[] gif = "GIF89a\1\0\1\0\0\0\0;".getBytes();
    byte[] lying = new byte[4096];
    System.arraycopy(png, 0, lying, 0, 8);
    return Stream.of(
        Arguments.of("empty", new byte[0], "edge.original.format"),
        Arguments.of("one byte", new byte[] {(byte) 0x89}, "edge.original.format"),
        Arguments.of("svg", svg, "edge.original.format"),
        Arguments.of("gif", gif, "edge.original.format"),
        Arguments.of("heic", heic, "edge.original.format"),
        Arguments.of("pdf", "%PDF-1.7\n".getBytes(), "edge.original.format"),
        Arguments.of("png magic, then zeros", lying, "edge.original.corrupt"),
        Arguments.of("png header only", Arrays.copyOf(png, 33), "edge.original.corrupt"),
        Arguments.of("truncated png", Arrays.copyOf(png, png.length / 2), "edge.original.corrupt"),
        Arguments.of(
            "truncated jpeg", Arrays.copyOf(jpeg, jpeg.length / 2), "edge.original.corrupt"),
        Arguments.of("png bomb", Pictures.pngBomb(50_000, 50_000), "edge.original.too_large"),
        Arguments.of("png of no width", Pictures.pngBomb(0, 10), "edge.original.corrupt"),
        Arguments.of(
            "webp without body", "RIFF\20\0\0\0WEBPVP8 ".getBytes(), "edge.original.corrupt"),
        Arguments.of("avif without body", avifHead(), "edge.original.corrupt"));
  }

  private static byte[] avifHead() {
    return new byte[] {
      0, 0, 0, 24, 'f', 't', 'y', 'p', 'a', 'v', 'i', 'f', 0, 0, 0, 0, 'm', 'i', 'f', '1', 'a', 'v',
      'i', 'f'
    };
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostile")
  void hostileOriginalsAreRefused(String name, byte[] bytes, String code) {
    assertThatThrownBy(() -> make(bytes, spec("w:64", ImageFormat.WEBP)))
        .isInstanceOfSatisfying(
            EdgeException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.status()).isEqualTo(415);
            });
  }

  @Test
  void aPolyglotKeepsItsPictureAndLosesTheRest() throws IOException {
    byte[] png = Pictures.png(64, 64);
    byte[] html = "<script>alert(1)</script>".getBytes();
    byte[] both = Arrays.copyOf(png, png.length + html.length);
    System.arraycopy(html, 0, both, png.length, html.length);
    byte[] variant = make(both, spec("full", ImageFormat.PNG));
    assertThat(Decoded.of(variant).width()).isEqualTo(64);
    assertThat(new String(variant, java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("script");
  }

  @Test
  void theByteBudgetHoldsBeforeAnythingIsRead() {
    EdgeConfig.Limits limits =
        new EdgeConfig.Limits(1024, 1 << 20, 8192, 1, 1, 1, 1000, 1, 1, 1000, 1 << 20, 0);
    Transcoder strict = new Transcoder(Loaded.vips(), EdgeConfig.Encoder.defaults(), limits);
    assertThatThrownBy(
            () ->
                strict.transcode(
                    new OriginalImage.InMemory(new byte[1025]),
                    spec("full", ImageFormat.PNG),
                    new KillSwitch()))
        .isInstanceOfSatisfying(
            EdgeException.class, e -> assertThat(e.code()).isEqualTo("edge.original.too_large"));
  }

  @Test
  void aFiredKillSwitchStopsTheEncode() {
    KillSwitch kill = new KillSwitch();
    kill.fire();
    assertThatThrownBy(
            () ->
                transcoder.transcode(
                    new OriginalImage.InMemory(Pictures.png(400, 300)),
                    spec("w:64", ImageFormat.PNG),
                    kill))
        .isInstanceOf(EdgeException.class);
  }
}

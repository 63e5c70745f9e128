package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.VariantSpec;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What operations do to pixels, judged on drawn pictures whose every pixel is known. */
final class LooksTest {
  @TempDir Path folder;
  private static Transcoder transcoder;

  @BeforeAll
  static void load() {
    transcoder = with(EdgeConfig.Watermark.none());
  }

  private static Transcoder with(EdgeConfig.Watermark watermark) {
    return new Transcoder(
        Loaded.vips(), EdgeConfig.Encoder.defaults(), EdgeConfig.Limits.defaults(), watermark);
  }

  private static VariantSpec spec(String text, ImageFormat format) {
    return Operations.parse(text).resolve(format, 8192, EdgeConfig.Encoder.defaults()::quality);
  }

  private static byte[] make(Transcoder with, byte[] original, String text, ImageFormat format)
      throws IOException {
    return with.transcode(
        new OriginalImage.InMemory(original), spec(text, format), new KillSwitch());
  }

  private static Decoded png(byte[] original, String text) throws IOException {
    return Decoded.of(make(transcoder, original, text, ImageFormat.PNG));
  }

  /** Nine fields of 60 px in a row-wise scale of greys: 20, 45, 70, ... */
  private static byte[] fields() {
    BufferedImage image = new BufferedImage(180, 180, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    for (int i = 0; i < 9; i++) {
      int grey = 20 + 25 * i;
      g.setColor(new Color(grey, grey, grey));
      g.fillRect(i % 3 * 60, i / 3 * 60, 60, 60);
    }
    g.dispose();
    return Pictures.encode(image, "png");
  }

  @ParameterizedTest
  @CsvSource({
    "northwest,20", "north,45", "northeast,70",
    "west,95", "centre,120", "east,145",
    "southwest,170", "south,195", "southeast,220"
  })
  void gravitySaysWhichPartStays(String gravity, int grey) throws IOException {
    // Width decides first: a box as wide as the picture leaves only the vertical cut, and the other
    // way round.
    Decoded tall = png(fields(), "fit:cover,g:" + gravity + ",h:180,w:60");
    Decoded wide = png(fields(), "fit:cover,g:" + gravity + ",h:60,w:180");
    int column = (grey - 20) / 25 % 3;
    int line = (grey - 20) / 25 / 3;
    assertThat(tall.at(30, 30, 0)).isCloseTo(20 + 25 * column, within(1));
    assertThat(wide.at(30, 30, 0)).isCloseTo(20 + 75 * line, within(1));
  }

  @Test
  void smartKeepsWhatDrawsTheEye() throws IOException {
    BufferedImage image = new BufferedImage(600, 200, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(new Color(128, 128, 128));
    g.fillRect(0, 0, 600, 200);
    g.setColor(new Color(230, 30, 30));
    g.fillOval(480, 60, 80, 80);
    g.dispose();
    Decoded smart = png(Pictures.encode(image, "png"), "fit:cover,g:smart,h:100,w:100");
    Decoded centre = png(Pictures.encode(image, "png"), "fit:cover,h:100,w:100");
    assertThat(reds(smart)).isGreaterThan(500);
    assertThat(reds(centre)).isZero();
  }

  private static int reds(Decoded image) {
    int count = 0;
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        count += image.at(x, y, 0) > 200 && image.at(x, y, 1) < 80 ? 1 : 0;
      }
    }
    return count;
  }

  /** A white half beside a black one. */
  private static byte[] edge() {
    BufferedImage image = new BufferedImage(100, 40, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(new Color(60, 60, 60));
    g.fillRect(0, 0, 50, 40);
    g.setColor(new Color(190, 190, 190));
    g.fillRect(50, 0, 50, 40);
    g.dispose();
    return Pictures.encode(image, "png");
  }

  @Test
  void blurSoftensAnEdgeAndSharpenSteepensIt() throws IOException {
    int plain = png(edge(), "full").at(47, 20, 0);
    Decoded blurred = png(edge(), "blur:4");
    assertThat(blurred.at(47, 20, 0)).isGreaterThan(plain + 20);
    assertThat(blurred.at(5, 20, 0)).isCloseTo(60, within(2));
    // Half of the step at the edge, as a Gaussian has it.
    assertThat((blurred.at(49, 20, 0) + blurred.at(50, 20, 0)) / 2).isCloseTo(125, within(2));
    assertThat(png(edge(), "sharpen:1.5").at(49, 20, 0)).isLessThan(60);
  }

  @Test
  void blurLeavesNoDarkRimOnTransparentPictures() throws IOException {
    BufferedImage image = new BufferedImage(80, 80, BufferedImage.TYPE_INT_ARGB);
    Graphics2D g = image.createGraphics();
    g.setColor(new Color(250, 200, 100));
    g.fillRect(0, 0, 40, 80);
    g.dispose();
    Decoded blurred = png(Pictures.encode(image, "png"), "blur:4");
    assertThat(blurred.bands()).isEqualTo(4);
    assertThat(blurred.at(42, 40, 3)).isBetween(30, 130);
    assertThat(blurred.at(42, 40, 0)).isCloseTo(250, within(4));
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void backgroundLiesUnderAndAroundThePicture(ImageFormat format) throws IOException {
    byte[] variant =
        make(
            transcoder,
            Pictures.pngWithAlpha(200, 100),
            "bg:2060a0,fit:contain,h:100,w:100",
            format);
    Decoded decoded = Decoded.of(variant);
    assertThat(decoded.bands()).isEqualTo(3);
    for (int y : new int[] {5, 70, 95}) {
      assertThat(decoded.at(5, y, 0)).as("red at %d", y).isCloseTo(0x20, within(6));
      assertThat(decoded.at(5, y, 1)).as("green at %d", y).isCloseTo(0x60, within(6));
      assertThat(decoded.at(5, y, 2)).as("blue at %d", y).isCloseTo(0xa0, within(6));
    }
  }

  @Test
  void aGreyPictureTakesAColouredBackground() throws IOException {
    BufferedImage grey = new BufferedImage(40, 20, BufferedImage.TYPE_BYTE_GRAY);
    Decoded decoded = png(Pictures.encode(grey, "png"), "bg:ff0000,fit:contain,h:20,w:20");
    assertThat(decoded.bands()).isEqualTo(3);
    assertThat(decoded.at(10, 1, 0)).isEqualTo(255);
    assertThat(decoded.at(10, 1, 1)).isZero();
  }

  @Test
  void progressiveAndLosslessSayWhatTheyDo() throws IOException {
    byte[] original = Pictures.png(300, 200);
    for (ImageFormat format : new ImageFormat[] {ImageFormat.JPEG, ImageFormat.PNG}) {
      assertThat(Containers.progressive(make(transcoder, original, "full", format))).isFalse();
      assertThat(Containers.progressive(make(transcoder, original, "progressive", format)))
          .isTrue();
    }
    byte[] pixels = Decoded.of(original).pixels();
    assertThat(Decoded.of(make(transcoder, original, "lossless", ImageFormat.WEBP)).pixels())
        .isEqualTo(pixels);
    assertThat(Decoded.of(make(transcoder, original, "lossless", ImageFormat.AVIF)).pixels())
        .isEqualTo(pixels);
    assertThat(Decoded.of(make(transcoder, original, "full", ImageFormat.WEBP)).pixels())
        .isNotEqualTo(pixels);
  }

  private EdgeConfig.Watermark redSquare() throws IOException {
    return redMark(40, 40, 50, 10);
  }

  private EdgeConfig.Watermark redMark(int width, int height, int opacity, int percent)
      throws IOException {
    BufferedImage mark = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = mark.createGraphics();
    g.setColor(new Color(255, 0, 0));
    g.fillRect(0, 0, width, height);
    g.dispose();
    Path file = Files.write(folder.resolve("mark.png"), Pictures.encode(mark, "png"));
    return new EdgeConfig.Watermark(
        Optional.empty(), Optional.of(file), opacity, percent, Set.of("free"));
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void theWatermarkLiesInTheLowerRightCorner(ImageFormat format) throws IOException {
    Transcoder marking = with(redSquare());
    BufferedImage black = new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB);
    byte[] original = Pictures.encode(black, "png");
    Decoded marked = Decoded.of(make(marking, original, "watermark", format));
    assertThat(marked.bands()).isEqualTo(3);
    // 20 px wide, 6 px from both edges, half opaque.
    assertThat(marked.at(184, 184, 0)).isCloseTo(127, within(8));
    assertThat(marked.at(184, 184, 1)).isCloseTo(0, within(12));
    assertThat(marked.at(197, 197, 0)).isCloseTo(0, within(8));
    assertThat(marked.at(160, 184, 0)).isCloseTo(0, within(8));
    Decoded plain = Decoded.of(make(marking, original, "full", format));
    assertThat(plain.at(184, 184, 0)).isCloseTo(0, within(4));
  }

  /** Flat pictures, tall marks: the mark shrinks, and never goes. */
  @ParameterizedTest
  @CsvSource({
    "1000,20,40,40,10",
    "1000,1,40,40,10",
    "64,64,40,40,100",
    "400,60,4,800,50",
    "64,5,1,2000,5"
  })
  void noPictureEscapesItsMark(int width, int height, int markWidth, int markHeight, int percent)
      throws IOException {
    Transcoder marking = with(redMark(markWidth, markHeight, 100, percent));
    BufferedImage black = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    byte[] original = Pictures.encode(black, "png");
    Decoded marked = Decoded.of(make(marking, original, "watermark", ImageFormat.PNG));
    assertThat(marked.width()).isEqualTo(width);
    assertThat(marked.height()).isEqualTo(height);
    assertThat(reds(marked)).isPositive();
  }

  @Test
  void belowTheSmallestWidthThereIsNoMark() throws IOException {
    Transcoder marking = with(redMark(40, 40, 100, 50));
    BufferedImage black = new BufferedImage(63, 200, BufferedImage.TYPE_INT_RGB);
    byte[] original = Pictures.encode(black, "png");
    assertThat(reds(Decoded.of(make(marking, original, "watermark", ImageFormat.PNG)))).isZero();
  }

  @Test
  void aTransparentPictureStaysSoUnderItsMark() throws IOException {
    Decoded marked =
        Decoded.of(
            make(with(redSquare()), Pictures.pngWithAlpha(200, 200), "watermark", ImageFormat.PNG));
    assertThat(marked.bands()).isEqualTo(4);
    assertThat(marked.at(184, 184, 3)).isCloseTo(127, within(3));
    assertThat(marked.at(100, 190, 3)).isZero();
  }

  @Test
  void aWatermarkOfTextShowsOnBlackAndOnWhite() throws IOException {
    Transcoder marking =
        with(
            new EdgeConfig.Watermark(
                Optional.of("Made <with> tintype & care"), Optional.empty(), 100, 60, Set.of()));
    BufferedImage ground = new BufferedImage(400, 100, BufferedImage.TYPE_INT_RGB);
    byte[] black = Pictures.encode(ground, "png");
    Graphics2D g = ground.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, 400, 100);
    g.dispose();
    byte[] white = Pictures.encode(ground, "png");
    Decoded onBlack = Decoded.of(make(marking, black, "watermark", ImageFormat.PNG));
    Decoded onWhite = Decoded.of(make(marking, white, "watermark", ImageFormat.PNG));
    int brightest = 0;
    int darkest = 255;
    for (int y = 50; y < 100; y++) {
      for (int x = 150; x < 400; x++) {
        brightest = Math.max(brightest, onBlack.at(x, y, 0));
        darkest = Math.min(darkest, onWhite.at(x, y, 0));
      }
    }
    assertThat(brightest).isGreaterThan(220);
    assertThat(darkest).isLessThan(160);
  }

  @Test
  void withoutAConfiguredMarkTheOperationIsRefused() {
    assertThatThrownBy(() -> transcoder.version(spec("watermark", ImageFormat.PNG)))
        .isInstanceOfSatisfying(
            EdgeException.class, e -> assertThat(e.code()).isEqualTo("edge.ops.invalid"));
  }

  @Test
  void anotherMarkIsAnotherVersion() throws IOException {
    VariantSpec marked = spec("watermark", ImageFormat.PNG);
    EdgeConfig.Watermark red = redSquare();
    EdgeConfig.Watermark fainter =
        new EdgeConfig.Watermark(red.text(), red.file(), 49, red.widthPercent(), red.tiers());
    assertThat(with(red).version(marked)).isNotEqualTo(with(fainter).version(marked));
    assertThat(with(red).version(spec("full", ImageFormat.PNG)))
        .isEqualTo(transcoder.version(spec("full", ImageFormat.PNG)));
  }

  @Test
  void aMarkThatIsNoPngIsRefusedAtStart() throws IOException {
    Path text = Files.writeString(folder.resolve("mark.txt"), "no picture");
    Path broken =
        Files.write(folder.resolve("broken.png"), java.util.Arrays.copyOf(Pictures.png(9, 9), 40));
    for (Path file : new Path[] {text, broken, folder.resolve("missing.png")}) {
      assertThatThrownBy(
              () ->
                  with(
                      new EdgeConfig.Watermark(
                          Optional.empty(), Optional.of(file), 50, 10, Set.of())))
          .isInstanceOf(EdgeException.Config.class)
          .hasMessageContaining("edge.watermark.file");
    }
  }
}

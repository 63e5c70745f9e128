package dev.tintype.edge.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.KillSwitch;
import dev.tintype.edge.vips.Loaded;
import dev.tintype.edge.vips.Transcoder;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Inputs come from the JDK, cwebp and avifenc, outputs are read by avifdec, dwebp, djpeg and the
 * JDK: libvips is never judged by itself. A picture looks the same whatever it came from and
 * whatever it is sent as, so there is one stored hash for each operation, and a second one for
 * transparent originals sent as JPEG, which lie on white.
 *
 * <p>{@code -Dtintype.hashes.write=true} writes the file anew, from PNG to PNG; look at the
 * difference before it is kept.
 */
final class MatrixTest {
  private static final Path STORED = Path.of("src/test/resources/perceptual-hashes.txt");

  /** Lossy formats move the mean of a cell by some steps of 255, mostly at chroma's edges. */
  private static final int DISTANCE_MAX = 16;

  private static final double DETAIL_SHARE_MAX = 0.2;

  /** What is made of each original. */
  private static final List<String> OPERATIONS =
      List.of(
          "full",
          "thumb",
          "card",
          "w:120",
          "h:50",
          "dpr:1.5,w:60",
          "fit:inside,h:90,w:90",
          "fit:cover,h:90,w:90",
          "fit:contain,h:90,w:90",
          "fit:cover,h:30,w:140",
          "q:95,w:100");

  @TempDir static Path folder;
  private static OtherCodecs codecs;
  private static Transcoder transcoder;
  private static Map<String, PerceptualHash> stored;
  private static final Map<ImageFormat, byte[]> OPAQUE = new EnumMap<>(ImageFormat.class);
  private static final Map<ImageFormat, byte[]> TRANSPARENT = new EnumMap<>(ImageFormat.class);

  @BeforeAll
  static void prepare() throws Exception {
    OtherCodecs.need();
    codecs = new OtherCodecs(folder);
    transcoder =
        new Transcoder(Loaded.vips(), EdgeConfig.Encoder.defaults(), EdgeConfig.Limits.defaults());
    for (ImageFormat format : ImageFormat.values()) {
      OPAQUE.put(format, codecs.encode(chart(false), format));
      if (format != ImageFormat.JPEG) {
        TRANSPARENT.put(format, codecs.encode(chart(true), format));
      }
    }
    if (Boolean.getBoolean("tintype.hashes.write")) {
      write();
    }
    stored = new LinkedHashMap<>();
    for (String line : Files.readAllLines(STORED)) {
      if (!line.startsWith("#")) {
        int colon = line.indexOf(" = ");
        stored.put(line.substring(0, colon), PerceptualHash.parse(line.substring(colon + 3)));
      }
    }
  }

  /**
   * 240 x 160 px, another thing in every corner: no turn, mirror or swap of colours looks alike.
   */
  private static BufferedImage chart(boolean transparent) {
    BufferedImage image =
        new BufferedImage(
            240, 160, transparent ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setPaint(new GradientPaint(0, 0, new Color(30, 60, 160), 240, 160, new Color(240, 190, 90)));
    g.fillRect(0, 0, 240, transparent ? 120 : 160);
    g.setColor(new Color(200, 30, 40));
    g.fillOval(12, 10, 60, 50);
    g.setColor(new Color(20, 140, 60));
    g.fillRect(170, 15, 55, 45);
    g.setColor(Color.WHITE);
    g.setStroke(new BasicStroke(2));
    for (int x = 90; x < 150; x += 6) {
      g.drawLine(x, 20, x + 8, 60);
    }
    g.setColor(new Color(20, 20, 30));
    for (int i = 0; i < 64; i++) {
      if ((i + i / 8) % 2 == 0) {
        g.fillRect(180 + i % 8 * 6, 90 + i / 8 * 6, 6, 6);
      }
    }
    g.setColor(new Color(250, 240, 60, transparent ? 128 : 255));
    g.fillRect(20, 90, 60, 55);
    g.dispose();
    return image;
  }

  private static PerceptualHash hash(byte[] original, String operations, ImageFormat output)
      throws Exception {
    byte[] variant =
        transcoder.transcode(
            new OriginalImage.InMemory(original),
            Operations.parse(operations)
                .resolve(output, 8192, EdgeConfig.Encoder.defaults()::quality),
            new KillSwitch());
    return PerceptualHash.of(codecs.decode(variant, output));
  }

  private static String key(String operations, boolean transparent, ImageFormat output) {
    String original = transparent ? "transparent" : "opaque";
    return original + (transparent && output == ImageFormat.JPEG ? " on white " : " ") + operations;
  }

  private static void write() throws Exception {
    StringBuilder text =
        new StringBuilder(
            "# MatrixTest: original, operations = size, detail, colours of 6 x 6 cells\n");
    for (String operations : OPERATIONS) {
      for (Map.Entry<Boolean, ImageFormat> each :
          List.of(
              Map.entry(false, ImageFormat.PNG),
              Map.entry(true, ImageFormat.PNG),
              Map.entry(true, ImageFormat.JPEG))) {
        byte[] original = (each.getKey() ? TRANSPARENT : OPAQUE).get(ImageFormat.PNG);
        text.append(key(operations, each.getKey(), each.getValue()))
            .append(" = ")
            .append(hash(original, operations, each.getValue()).text())
            .append('\n');
      }
    }
    Files.writeString(STORED, text);
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void everyOperationInEveryFormatLooksAsItShould(ImageFormat input) throws Exception {
    for (String operations : OPERATIONS) {
      for (ImageFormat output : ImageFormat.values()) {
        compare(OPAQUE.get(input), input, false, operations, output);
        if (input != ImageFormat.JPEG) {
          compare(TRANSPARENT.get(input), input, true, operations, output);
        }
      }
    }
  }

  private static void compare(
      byte[] original,
      ImageFormat input,
      boolean transparent,
      String operations,
      ImageFormat output)
      throws Exception {
    String key = key(operations, transparent, output);
    String what = input + " to " + output + ", " + key;
    PerceptualHash expected = stored.get(key);
    assertThat(expected).as("stored hash of %s", key).isNotNull();
    PerceptualHash found = hash(original, operations, output);
    assertThat(found.width()).as("width, %s", what).isEqualTo(expected.width());
    assertThat(found.height()).as("height, %s", what).isEqualTo(expected.height());
    assertThat(found.distance(expected)).as("colours, %s", what).isLessThanOrEqualTo(DISTANCE_MAX);
    assertThat(found.detail())
        .as("detail, %s", what)
        .isCloseTo(expected.detail(), within(expected.detail() * DETAIL_SHARE_MAX));
  }

  @Test
  void theHashTellsWhatWouldBeWrong() {
    BufferedImage right = chart(false);
    PerceptualHash hash = PerceptualHash.of(right);
    BufferedImage mirrored = new BufferedImage(240, 160, BufferedImage.TYPE_INT_RGB);
    BufferedImage swapped = new BufferedImage(240, 160, BufferedImage.TYPE_INT_BGR);
    BufferedImage smooth = new BufferedImage(240, 160, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 160; y++) {
      for (int x = 0; x < 240; x++) {
        int rgb = right.getRGB(x, y);
        mirrored.setRGB(239 - x, y, rgb);
        swapped.setRGB(x, y, (rgb & 0xff) << 16 | rgb & 0xff00 | rgb >> 16 & 0xff);
        smooth.setRGB(x, y, right.getRGB(x / 6 * 6, y / 6 * 6));
      }
    }
    assertThat(hash.distance(PerceptualHash.of(mirrored))).isGreaterThan(4 * DISTANCE_MAX);
    assertThat(hash.distance(PerceptualHash.of(swapped))).isGreaterThan(4 * DISTANCE_MAX);
    assertThat(PerceptualHash.of(smooth).detail())
        .isLessThan(hash.detail() * (1 - DETAIL_SHARE_MAX));
    assertThat(hash.distance(PerceptualHash.parse(hash.text()))).isZero();
  }
}

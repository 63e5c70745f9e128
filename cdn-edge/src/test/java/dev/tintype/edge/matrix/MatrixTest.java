package dev.tintype.edge.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.imageio.ImageIO;
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
 * <p>{@code -Dtintype.hashes.write=true} writes the file anew, from PNG to PNG, and with {@code
 * -Dtintype.hashes.show=FOLDER} the pictures too: look at them before it is kept.
 */
final class MatrixTest {
  private static final Path STORED = Path.of("src/test/resources/perceptual-hashes.txt");

  /** Lossy formats move the mean of a cell by some steps of 255, mostly at chroma's edges. */
  private static final int DISTANCE_MAX = 16;

  private static final double DETAIL_SHARE_MAX = 0.2;

  private static final int WIDTH = 720;
  private static final int HEIGHT = 480;

  /** A folder into which every picture that is hashed is written, to be looked at. */
  private static final Optional<Path> SHOW =
      Optional.ofNullable(System.getProperty("tintype.hashes.show")).map(Path::of);

  /** What is made of each original. */
  private static final List<String> OPERATIONS =
      List.of(
          "full",
          "thumb",
          "tile",
          "og",
          "card",
          "w:120",
          "h:50",
          "dpr:1.5,w:60",
          "fit:inside,h:90,w:90",
          "fit:cover,h:90,w:90",
          "fit:contain,h:90,w:90",
          "fit:cover,h:30,w:140",
          "fit:cover,g:northwest,h:90,w:90",
          "fit:cover,g:smart,h:90,w:90",
          "bg:2060a0,fit:contain,h:90,w:90",
          "blur:3,w:120",
          "sharpen:2,w:120",
          "w:120,watermark",
          "lossless,w:120",
          "progressive,w:120",
          "strip,w:120",
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
        new Transcoder(
            Loaded.vips(),
            EdgeConfig.Encoder.defaults(),
            EdgeConfig.Limits.defaults(),
            watermark());
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

  /** A red square in a white one. */
  private static EdgeConfig.Watermark watermark() throws IOException {
    BufferedImage mark = new BufferedImage(80, 80, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = mark.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, 80, 80);
    g.setColor(Color.RED);
    g.fillRect(10, 10, 60, 60);
    g.dispose();
    Path file = Files.write(folder.resolve("mark.png"), Pictures.encode(mark, "png"));
    return new EdgeConfig.Watermark(Optional.empty(), Optional.of(file), 100, 25, Set.of());
  }

  /**
   * 720 x 480 px, wider than every preset but og, and another thing in every corner: no turn,
   * mirror or swap of colours looks alike. Drawn small and enlarged: at hard edges lossy formats
   * ring, which would count as detail.
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
    BufferedImage large = new BufferedImage(WIDTH, HEIGHT, image.getType());
    Graphics2D enlarging = large.createGraphics();
    enlarging.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    enlarging.drawImage(image, 0, 0, WIDTH, HEIGHT, null);
    enlarging.dispose();
    return large;
  }

  private static BufferedImage made(byte[] original, String operations, ImageFormat output)
      throws Exception {
    byte[] variant =
        transcoder.transcode(
            new OriginalImage.InMemory(original),
            Operations.parse(operations)
                .resolve(output, 8192, EdgeConfig.Encoder.defaults()::quality),
            new KillSwitch());
    return codecs.decode(variant, output);
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
        String key = key(operations, each.getKey(), each.getValue());
        text.append(key)
            .append(" = ")
            .append(PerceptualHash.of(made(original, operations, each.getValue())).text())
            .append('\n');
        if (SHOW.isPresent()) {
          ImageIO.write(
              made(original, operations, each.getValue()),
              "png",
              SHOW.get().resolve(key.replaceAll("[:, ]", "-") + ".png").toFile());
        }
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
    PerceptualHash found = PerceptualHash.of(made(original, operations, output));
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
    BufferedImage mirrored = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    BufferedImage swapped = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_BGR);
    BufferedImage smooth = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int rgb = right.getRGB(x, y);
        mirrored.setRGB(WIDTH - 1 - x, y, rgb);
        swapped.setRGB(x, y, (rgb & 0xff) << 16 | rgb & 0xff00 | rgb >> 16 & 0xff);
        smooth.setRGB(x, y, right.getRGB(x / 18 * 18, y / 18 * 18));
      }
    }
    assertThat(hash.distance(PerceptualHash.of(mirrored))).isGreaterThan(4 * DISTANCE_MAX);
    assertThat(hash.distance(PerceptualHash.of(swapped))).isGreaterThan(4 * DISTANCE_MAX);
    assertThat(PerceptualHash.of(smooth).detail())
        .isLessThan(hash.detail() * (1 - DETAIL_SHARE_MAX));
    assertThat(hash.distance(PerceptualHash.parse(hash.text()))).isZero();
  }
}

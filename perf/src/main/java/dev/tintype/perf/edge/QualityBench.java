package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.node.Logs;
import dev.tintype.node.NodeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Which quality and effort give the smallest picture that looks as good as JPEG's. */
@Command(
    name = "edge-quality",
    description = "Size and time of WebP and AVIF at the DSSIM that JPEG has at quality 80.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Pictures: synthetic photographs, the model's samples, and those of --pictures;"
          + " perf/edge/paint.py",
      "paints such. For each, the lowest quality that is at least as near to the original as JPEG.",
      "",
      "Examples:",
      "  tintype bench edge-quality",
      "  perf/edge/paint.py /tmp/painted 12 1024 && tintype bench edge-quality --pictures"
          + " /tmp/painted"
    })
public final class QualityBench implements Callable<Integer> {
  private static final int JPEG_QUALITY = 80;
  private static final int SAMPLE_PX = 256;

  /** Every so manieth of the model's samples: they are much alike to an encoder. */
  private static final int SAMPLE_STEP = 3;

  /** Where the equal quality is looked for; 31 to 94 are six steps of bisection. */
  private static final int QUALITY_MIN = 31;

  private static final int QUALITY_MAX = 94;
  private static final int[] EFFORTS = {0, 2, 4};

  @Option(
      names = "--pictures",
      paramLabel = "DIR",
      description = "More pictures: the PNG files of a folder.")
  Path pictures;

  @Option(
      names = "--photographs",
      paramLabel = "N",
      defaultValue = "3",
      description = "How many synthetic ones, 0 to 100 (default ${DEFAULT-VALUE}).")
  int photographs;

  @Option(
      names = "--width",
      paramLabel = "PX",
      defaultValue = "512",
      description = "Width of the variants, px (default ${DEFAULT-VALUE}).")
  int width;

  @Option(names = "--json", description = "Only the JSON; it is the last line in any case.")
  boolean json;

  /** One format and effort; medians over the pictures. */
  private record Row(String name, List<Equal> found) {
    double quality() {
      return Medians.of(found, Equal::quality);
    }

    double share() {
      return Medians.of(found, Equal::share);
    }

    double ms() {
      return Medians.of(found, Equal::ms);
    }

    /** Quality below which a tenth of the pictures would look worse than JPEG. */
    double cautious() {
      double[] sorted = found.stream().mapToDouble(Equal::quality).sorted().toArray();
      return sorted[(int) Math.ceil(0.9 * sorted.length) - 1];
    }
  }

  /** Equal to JPEG in one picture: at which quality, in which share of its bytes, in which time. */
  private record Equal(int quality, double share, double ms) {}

  @Override
  public Integer call() throws IOException {
    Logs.console(Level.WARNING);
    if (photographs < 0 || photographs > 100 || width < 16 || width > 8192) {
      throw new NodeException.Config(
          "bench.quality", "--photographs is 0 to 100, --width 16 to 8192.");
    }
    List<byte[]> all = corpus();
    if (all.isEmpty()) {
      throw new NodeException.Config(
          "bench.quality",
          "There is no picture to measure; raise --photographs or give --pictures.");
    }
    List<Row> rows = new ArrayList<>();
    rows.add(new Row("webp", new ArrayList<>()));
    for (int effort : EFFORTS) {
      rows.add(new Row("avif effort " + effort, new ArrayList<>()));
    }
    Variants base = new Variants(EFFORTS[0]);
    long jpegBytes = 0;
    for (int i = 0; i < all.size(); i++) {
      byte[] png = all.get(i);
      Dssim reference = new Dssim(base.exact(png, width));
      Variants.Made jpeg = base.make(png, width, ImageFormat.JPEG, JPEG_QUALITY);
      jpegBytes += jpeg.bytes().length;
      double target = reference.distance(base.decode(jpeg.bytes()));
      rows.get(0).found.add(equal(base, png, reference, ImageFormat.WEBP, target, jpeg));
      for (int e = 0; e < EFFORTS.length; e++) {
        Variants variants = new Variants(EFFORTS[e]);
        rows.get(e + 1).found.add(equal(variants, png, reference, ImageFormat.AVIF, target, jpeg));
      }
      if (!json) {
        System.err.printf("bench: %d of %d pictures%n", i + 1, all.size());
      }
    }
    print(rows, all.size(), jpegBytes / all.size());
    return 0;
  }

  /** The lowest quality whose picture is as near as JPEG's, by bisection. */
  private Equal equal(
      Variants variants,
      byte[] png,
      Dssim reference,
      ImageFormat format,
      double target,
      Variants.Made jpeg)
      throws IOException {
    int low = QUALITY_MIN;
    int high = QUALITY_MAX;
    Variants.Made best = variants.make(png, width, format, high);
    while (low < high) {
      int middle = (low + high) / 2;
      Variants.Made made = variants.make(png, width, format, middle);
      if (reference.distance(variants.decode(made.bytes())) <= target) {
        high = middle;
        best = made;
      } else {
        low = middle + 1;
      }
    }
    return new Equal(high, (double) best.bytes().length / jpeg.bytes().length, best.ms());
  }

  private List<byte[]> corpus() throws IOException {
    List<byte[]> all = new ArrayList<>();
    for (int i = 0; i < photographs; i++) {
      all.add(Photograph.png(Photograph.of(1024, 100 + i)));
    }
    Path samples =
        Path.of(System.getProperty("tintype.home", "."), "models/tintype-mini/samples.png");
    if (Files.exists(samples)) {
      BufferedImage sheet = ImageIO.read(samples.toFile());
      for (int y = 0; y + SAMPLE_PX <= sheet.getHeight(); y += SAMPLE_PX) {
        for (int x = 0; x + SAMPLE_PX <= sheet.getWidth(); x += SAMPLE_STEP * SAMPLE_PX) {
          BufferedImage copy = new BufferedImage(SAMPLE_PX, SAMPLE_PX, BufferedImage.TYPE_INT_RGB);
          copy.createGraphics()
              .drawImage(sheet.getSubimage(x, y, SAMPLE_PX, SAMPLE_PX), 0, 0, null);
          all.add(Photograph.png(copy));
        }
      }
    }
    if (pictures != null) {
      if (!Files.isDirectory(pictures)) {
        throw new NodeException.Config("bench.quality", pictures + " is no folder.");
      }
      try (Stream<Path> files = Files.list(pictures)) {
        for (Path each : files.filter(f -> f.toString().endsWith(".png")).sorted().toList()) {
          byte[] png = Files.readAllBytes(each);
          if (ImageIO.read(new ByteArrayInputStream(png)) == null) {
            throw new NodeException.Config("bench.quality", each + " is no picture.");
          }
          all.add(png);
        }
      }
    }
    return all;
  }

  private void print(List<Row> rows, int count, long jpegBytes) {
    ObjectNode result = new ObjectMapper().createObjectNode();
    result.put("bench", "edge-quality").put("pictures", count).put("width", width);
    result.put("jpeg_quality", JPEG_QUALITY).put("jpeg_bytes", jpegBytes);
    ObjectNode equal = result.putObject("equal");
    for (Row row : rows) {
      equal
          .putObject(row.name)
          .put("quality", row.quality())
          .put("quality_for_9_of_10", row.cautious())
          .put("bytes_vs_jpeg", Numbers.short3(row.share()))
          .put("ms", Numbers.short3(row.ms()));
    }
    if (!json) {
      System.out.printf(
          "%d pictures, %d px wide, as near to the original as JPEG q%d (%d bytes):%n%n",
          count, width, JPEG_QUALITY, jpegBytes);
      System.out.println("                 quality   for 9 of 10   bytes, of JPEG's   ms");
      for (Row row : rows) {
        System.out.printf(
            "%-16s %7.0f %13.0f %17.0f%% %5.0f%n",
            row.name, row.quality(), row.cautious(), 100 * row.share(), row.ms());
      }
      System.out.println();
    }
    System.out.println(result);
  }
}

package dev.tintype.edge.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Pictures;
import dev.tintype.edge.Tools;
import dev.tintype.edge.url.ImageFormat;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** Encoders and decoders of others, as programs of Debian; PNG and JPEG are written by the JDK. */
final class OtherCodecs {
  private final Path folder;
  private int count;

  OtherCodecs(Path folder) {
    this.folder = folder;
  }

  /** Fails, or skips, before anything else is done. */
  static void need() {
    Tools.need("avifdec", "libavif-bin");
    Tools.need("dwebp", "webp");
    Tools.need("djpeg", "libjpeg-turbo-progs");
    Tools.need("pngcheck", "pngcheck");
  }

  byte[] encode(BufferedImage image, ImageFormat format) throws Exception {
    if (format == ImageFormat.PNG || format == ImageFormat.JPEG) {
      return Pictures.encode(image, format.extension());
    }
    Path png = Files.write(next("png"), Pictures.encode(image, "png"));
    Path out = next(format.extension());
    if (format == ImageFormat.WEBP) {
      Tools.run(List.of("cwebp", "-quiet", "-q", "95", png.toString(), "-o", out.toString()));
    } else {
      Tools.run(
          List.of(
              "avifenc", "-s", "9", "--min", "5", "--max", "10", png.toString(), out.toString()));
    }
    return Files.readAllBytes(out);
  }

  BufferedImage decode(byte[] bytes, ImageFormat format) throws Exception {
    Path in = Files.write(next(format.extension()), bytes);
    Path out = next(format == ImageFormat.JPEG ? "bmp" : "png");
    switch (format) {
      case AVIF -> Tools.run(List.of("avifdec", in.toString(), out.toString()));
      case WEBP -> Tools.run(List.of("dwebp", "-quiet", in.toString(), "-o", out.toString()));
      case JPEG -> Tools.run(List.of("djpeg", "-bmp", "-outfile", out.toString(), in.toString()));
      case PNG -> {
        Tools.run(List.of("pngcheck", "-q", in.toString()));
        out = in;
      }
    }
    BufferedImage image = ImageIO.read(out.toFile());
    assertThat(image).as("%s read back", format).isNotNull();
    return image;
  }

  private Path next(String extension) {
    return folder.resolve("picture-" + count++ + "." + extension);
  }
}

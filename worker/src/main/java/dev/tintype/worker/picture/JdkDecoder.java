package dev.tintype.worker.picture;

import dev.tintype.worker.engine.Picture;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * PNG and JPEG by the JDK's own decoders, sizes checked before pixels are. Only the middle that is
 * used is kept, and of a picture much larger than wanted only every n-th pixel, so that memory is
 * bounded by what the job asks for: {@link #FINER_MAX} squared times its area, and a margin.
 */
public final class JdkDecoder implements PictureDecoder {
  private static final long AREA_PIXELS_MAX = 70_000_000;
  private static final List<String> FORMATS = List.of("png", "JPEG");

  /** At least this many source pixels are kept for a target pixel, per side, where there are. */
  private static final int FINER = 2;

  /** Of a source that is this much finer, per side, pixels are left out. */
  static final int FINER_MAX = 2 * FINER;

  @Override
  public Picture decode(byte[] file, int width, int height, int background) throws IOException {
    for (String format : FORMATS) {
      ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
      try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
        if (!reader.getOriginatingProvider().canDecodeInput(in)) {
          continue;
        }
        reader.setInput(in, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > AREA_PIXELS_MAX) {
          throw new IOException("too many pixels");
        }
        return rgb(reader.read(0, needed(reader, width, height)), background);
      } finally {
        reader.dispose();
      }
    }
    throw new IOException("neither PNG nor JPEG");
  }

  private static ImageReadParam needed(ImageReader reader, int width, int height)
      throws IOException {
    ImageReadParam param = reader.getDefaultReadParam();
    int fromWidth = reader.getWidth(0);
    int fromHeight = reader.getHeight(0);
    double scale = Math.min((double) fromWidth / width, (double) fromHeight / height);
    // The filter of Resampling reaches that far over the edge; so cutting changes no pixel.
    int margin = (int) Math.ceil(Math.max(1, scale)) + 1;
    int left = Math.max(0, (int) ((fromWidth - scale * width) / 2) - margin);
    int top = Math.max(0, (int) ((fromHeight - scale * height) / 2) - margin);
    param.setSourceRegion(new Rectangle(left, top, fromWidth - 2 * left, fromHeight - 2 * top));
    if (scale >= FINER_MAX) {
      int every = (int) (scale / FINER);
      param.setSourceSubsampling(every, every, every / 2, every / 2);
    }
    return param;
  }

  /** sRGB over a grey background where it is transparent. */
  private static Picture rgb(BufferedImage image, int background) {
    int width = image.getWidth();
    byte[] rgb = new byte[Math.multiplyExact(width * 3, image.getHeight())];
    int[] row = new int[width];
    int at = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int argb : row) {
        int alpha = argb >>> 24;
        for (int shift = 16; shift >= 0; shift -= 8) {
          int over = (argb >> shift & 0xff) * alpha + background * (255 - alpha);
          rgb[at++] = (byte) ((over + 127) / 255);
        }
      }
    }
    return new Picture(width, image.getHeight(), rgb);
  }
}

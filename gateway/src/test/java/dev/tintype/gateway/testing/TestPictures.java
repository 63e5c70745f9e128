package dev.tintype.gateway.testing;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/** Small files of pictures, written by the JDK. */
public final class TestPictures {
  private TestPictures() {}

  public static byte[] png(int width, int height) {
    return file("png", width, height);
  }

  public static byte[] jpeg(int width, int height) {
    return file("jpeg", width, height);
  }

  private static byte[] file(String format, int width, int height) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ImageIO.write(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), format, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}

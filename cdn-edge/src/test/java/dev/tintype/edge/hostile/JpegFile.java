package dev.tintype.edge.hostile;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** JPEG files of the JDK, and what can be done to them. */
final class JpegFile {
  private static final int SOF2 = 0xc2;
  private static final int SOS = 0xda;

  private JpegFile() {}

  static byte[] progressive(BufferedImage image) {
    return write(new IIOImage(image, null, null), true);
  }

  /** Four channels, as printers have them; the JDK writes the raster as it is. */
  static byte[] fourChannels(int width, int height) {
    WritableRaster raster =
        Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, height, 4, null);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        raster.setPixel(x, y, new int[] {x * 4 & 255, y * 4 & 255, 100, 200});
      }
    }
    return write(new IIOImage(raster, null, null), false);
  }

  private static byte[] write(IIOImage image, boolean progressive) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      writer.setOutput(out);
      ImageWriteParam how = writer.getDefaultWriteParam();
      if (progressive) {
        how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
      }
      writer.write(null, image, how);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
  }

  /** The last scan again and again: each makes a decoder go over the whole picture once more. */
  static byte[] manyScans(byte[] progressive, int times) {
    int end = progressive.length - 2;
    int scan = lastIndexOf(progressive, SOS);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(progressive, 0, end);
    for (int i = 0; i < times; i++) {
      out.write(progressive, scan, end - scan);
    }
    out.write(progressive, end, 2);
    return out.toByteArray();
  }

  /** Another size in the header of the frame. */
  static byte[] claiming(byte[] progressive, int width, int height) {
    byte[] bytes = progressive.clone();
    int frame = lastIndexOf(bytes, SOF2) + 5;
    bytes[frame] = (byte) (height >> 8);
    bytes[frame + 1] = (byte) height;
    bytes[frame + 2] = (byte) (width >> 8);
    bytes[frame + 3] = (byte) width;
    return bytes;
  }

  /** A segment after the start of the image. */
  static byte[] with(byte[] jpeg, int marker, String text, int times) {
    byte[] data = text.getBytes(StandardCharsets.ISO_8859_1);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(jpeg, 0, 2);
    for (int i = 0; i < times; i++) {
      out.write(0xff);
      out.write(marker);
      out.write(data.length + 2 >> 8);
      out.write(data.length + 2);
      out.writeBytes(data);
    }
    out.write(jpeg, 2, jpeg.length - 2);
    return out.toByteArray();
  }

  private static int lastIndexOf(byte[] bytes, int marker) {
    for (int i = bytes.length - 2; i > 0; i--) {
      if ((bytes[i] & 0xff) == 0xff && (bytes[i + 1] & 0xff) == marker) {
        return i;
      }
    }
    throw new IllegalArgumentException("no marker " + Integer.toHexString(marker));
  }

  static byte[] cut(byte[] bytes, int length) {
    return Arrays.copyOf(bytes, length);
  }
}

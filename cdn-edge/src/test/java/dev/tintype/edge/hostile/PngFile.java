package dev.tintype.edge.hostile;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/** Writes PNG files chunk by chunk, also such as no encoder would write. */
final class PngFile {
  static final int GREY = 0;
  static final int RGB = 2;
  static final int PALETTE = 3;
  static final int RGBA = 6;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  PngFile(int width, int height, int depth, int colour, boolean interlaced) {
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    chunk(
        "IHDR",
        ByteBuffer.allocate(13)
            .putInt(width)
            .putInt(height)
            .put((byte) depth)
            .put((byte) colour)
            .put((byte) 0)
            .put((byte) 0)
            .put((byte) (interlaced ? 1 : 0))
            .array());
  }

  PngFile chunk(String type, byte[] data) {
    try {
      byte[] name = type.getBytes(StandardCharsets.US_ASCII);
      CRC32 crc = new CRC32();
      crc.update(name);
      crc.update(data);
      DataOutputStream to = new DataOutputStream(out);
      to.writeInt(data.length);
      to.write(name);
      to.write(data);
      to.writeInt((int) crc.getValue());
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Text before the compressed part of iCCP, zTXt and iTXt. */
  PngFile compressed(String type, String head, byte[] data) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
    all.writeBytes(data);
    return chunk(type, all.toByteArray());
  }

  byte[] end(byte[] deflated) {
    chunk("IDAT", deflated);
    chunk("IEND", new byte[0]);
    return out.toByteArray();
  }

  /** So many zeros, deflated: a thousandth of their size. */
  static byte[] zeros(long count) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflated =
        new DeflaterOutputStream(bytes, new Deflater(Deflater.BEST_COMPRESSION))) {
      byte[] block = new byte[1 << 20];
      for (long left = count; left > 0; left -= block.length) {
        deflated.write(block, 0, (int) Math.min(left, block.length));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}

package dev.tintype.edge.vips;

import dev.tintype.edge.url.ImageFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Tells a picture's format by its first bytes. A name or a media type is never believed. */
public final class ImageSniffer {
  /** How many bytes {@link #format} wants to see; an AVIF may list many brands. */
  public static final int HEAD_BYTES = 256;

  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final byte[] JPEG = {(byte) 0xff, (byte) 0xd8, (byte) 0xff};

  private ImageSniffer() {}

  /**
   * The format of a file that starts with these bytes; empty for everything that the edge does not
   * take.
   */
  public static Optional<ImageFormat> format(byte[] head) {
    if (startsWith(head, PNG)) {
      return Optional.of(ImageFormat.PNG);
    }
    if (startsWith(head, JPEG)) {
      return Optional.of(ImageFormat.JPEG);
    }
    if (text(head, 0).equals("RIFF") && text(head, 8).equals("WEBP")) {
      return Optional.of(ImageFormat.WEBP);
    }
    return isAvif(head) ? Optional.of(ImageFormat.AVIF) : Optional.empty();
  }

  /**
   * An ftyp box (ISO/IEC 14496-12) with the brand avif or avis, as the major brand or a compatible
   * one.
   */
  private static boolean isAvif(byte[] head) {
    if (!text(head, 4).equals("ftyp")) {
      return false;
    }
    int size =
        ((head[0] & 0xff) << 24)
            | ((head[1] & 0xff) << 16)
            | ((head[2] & 0xff) << 8)
            | (head[3] & 0xff);
    for (int at = 8; at + 4 <= Math.min(size, head.length); at += 4) {
      // Bytes 12 to 15 are the minor version, which is no brand.
      if (at != 12 && (text(head, at).equals("avif") || text(head, at).equals("avis"))) {
        return true;
      }
    }
    return false;
  }

  private static boolean startsWith(byte[] head, byte[] magic) {
    return head.length >= magic.length
        && Arrays.equals(head, 0, magic.length, magic, 0, magic.length);
  }

  private static String text(byte[] head, int at) {
    return at + 4 <= head.length ? new String(head, at, 4, StandardCharsets.ISO_8859_1) : "";
  }
}

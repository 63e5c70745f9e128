package dev.tintype.gateway.images;

import dev.tintype.gateway.problem.GatewayException.RequestException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Format and size as the first bytes of a file tell them (PNG: IHDR; JPEG: the frame header),
 * before anybody decodes it: a file of a few kilobytes can claim gigapixels.
 *
 * @param mediaType {@code image/png} or {@code image/jpeg}
 * @param width pixels
 * @param height pixels
 */
record PictureHeader(String mediaType, int width, int height) {
  static final int SIDE_PIXELS_MAX = 8_192;

  /** Area: 128 MB once decoded to RGB. */
  static final long AREA_PIXELS_MAX = 40_000_000;

  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int PNG_HEADER_BYTES = 33;
  private static final int JPEG_START = 0xffd8;
  private static final int JPEG_SCAN = 0xda;

  /**
   * @throws RequestException 415 image.format, 422 image.broken, 422 image.too_large
   */
  static PictureHeader read(byte[] file) {
    PictureHeader header;
    if (file.length >= PNG.length && Arrays.equals(file, 0, PNG.length, PNG, 0, PNG.length)) {
      header = png(file);
    } else if (file.length >= 2 && unsignedShort(file, 0) == JPEG_START) {
      header = jpeg(file);
    } else {
      throw new RequestException(
          415, "image.format", "This is neither a PNG nor a JPEG; convert it to one of them.");
    }
    if (header.width < 1 || header.height < 1) {
      throw broken("its size is 0");
    }
    if (header.width > SIDE_PIXELS_MAX
        || header.height > SIDE_PIXELS_MAX
        || (long) header.width * header.height > AREA_PIXELS_MAX) {
      throw new RequestException(
          422,
          "image.too_large",
          "The picture has %d x %d pixels; at most %d on a side and %d in all are taken."
              .formatted(
                  Integer.toUnsignedLong(header.width),
                  Integer.toUnsignedLong(header.height),
                  SIDE_PIXELS_MAX,
                  AREA_PIXELS_MAX));
    }
    return header;
  }

  private static PictureHeader png(byte[] file) {
    if (file.length < PNG_HEADER_BYTES
        || !new String(file, 12, 4, StandardCharsets.ISO_8859_1).equals("IHDR")) {
      throw broken("its PNG header is missing");
    }
    ByteBuffer bytes = ByteBuffer.wrap(file);
    return new PictureHeader("image/png", bytes.getInt(16), bytes.getInt(20));
  }

  /** Walks the segments to the frame header (ITU T.81, B.2); each moves on by at least 2 bytes. */
  private static PictureHeader jpeg(byte[] file) {
    int at = 2;
    while (at + 4 <= file.length) {
      if ((file[at] & 0xff) != 0xff) {
        throw broken("a JPEG segment does not begin where it should");
      }
      int marker = file[at + 1] & 0xff;
      if (marker == 0xff) {
        at++; // Fill bytes may stand before a marker.
        continue;
      }
      if (marker == JPEG_SCAN) {
        throw broken("its JPEG frame header is missing");
      }
      if (isFrame(marker)) {
        return frame(file, at, marker);
      }
      int length = unsignedShort(file, at + 2);
      if (length < 2) {
        throw broken("a JPEG segment has no length");
      }
      at += 2 + length;
    }
    throw broken("its JPEG frame header is missing");
  }

  /** SOF0 to SOF15 without DHT, JPG and DAC. */
  private static boolean isFrame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  }

  private static PictureHeader frame(byte[] file, int at, int marker) {
    if (at + 10 > file.length) {
      throw broken("its JPEG frame header is cut off");
    }
    int components = file[at + 9] & 0xff;
    boolean baselineOrProgressive = marker <= 0xc2;
    if (!baselineOrProgressive || (components != 1 && components != 3) || file[at + 4] != 8) {
      throw new RequestException(
          415,
          "image.format",
          "JPEG is taken as baseline or progressive, grey or colour, 8 bits; save it as such.");
    }
    return new PictureHeader(
        "image/jpeg", unsignedShort(file, at + 7), unsignedShort(file, at + 5));
  }

  private static int unsignedShort(byte[] file, int at) {
    return (file[at] & 0xff) << 8 | file[at + 1] & 0xff;
  }

  private static RequestException broken(String how) {
    return new RequestException(
        422, "image.broken", "The picture is damaged: " + how + ". Send it again.");
  }
}

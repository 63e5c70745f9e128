package dev.tintype.edge.hostile;

import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The originals, each with the answers that are right for it. */
final class HostileFiles {
  static final String OK = "200";
  private static final String CORRUPT = "edge.original.corrupt";
  private static final String TOO_LARGE = "edge.original.too_large";
  private static final String FORMAT = "edge.original.format";
  private static final String DEADLINE = "edge.encode.deadline";
  private static final int CUTS = 40;
  private static final int TILE_PX = 64;

  private final Map<ImageFormat, byte[]> good = new EnumMap<>(ImageFormat.class);
  private final List<Hostile> all = new ArrayList<>();

  /**
   * One of them.
   *
   * @param answers the codes, or {@link #OK}, that are right
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Hostile(String name, byte[] bytes, Set<String> answers) {}

  /** Makes a picture of another format out of a PNG. */
  interface Converter {
    byte[] convert(byte[] png, ImageFormat format);
  }

  HostileFiles(Converter converter) {
    byte[] png = Pictures.png(200, 150);
    for (ImageFormat format : ImageFormat.values()) {
      good.put(format, format == ImageFormat.PNG ? png : converter.convert(png, format));
    }
    pngs();
    jpegs();
    avifs(converter.convert(Pictures.png(TILE_PX, TILE_PX), ImageFormat.AVIF));
    webps();
    mixtures();
    torn();
  }

  List<Hostile> all() {
    return List.copyOf(all);
  }

  private void add(String name, byte[] bytes, String... answers) {
    all.add(new Hostile(name, bytes, Set.of(answers)));
  }

  private void pngs() {
    byte[] pixel = PngFile.zeros(4);
    add("png 50,000 x 50,000", new PngFile(50_000, 50_000, 8, 2, false).end(pixel), TOO_LARGE);
    add(
        "png 2^31-1 wide",
        new PngFile(Integer.MAX_VALUE, 1, 8, 2, false).end(pixel),
        TOO_LARGE,
        CORRUPT);
    // As large as the budget allows, from 200 kB.
    byte[] large = PngFile.zeros(8192L * (1 + 3 * 8192));
    add("png 8192 x 8192", new PngFile(8192, 8192, 8, PngFile.RGB, false).end(large), OK);
    byte[] interlaced = PngFile.zeros(4096L * (1 + 3 * 4096) + 4 * 4096);
    add("png interlaced 4096 x 4096", new PngFile(4096, 4096, 8, 2, true).end(interlaced), OK);
    byte[] far = PngFile.zeros(200_000_000);
    add("png with more data than pixels", new PngFile(16, 16, 8, 2, false).end(far), OK, CORRUPT);
    byte[] rows = PngFile.zeros(16 * 49);
    add(
        "png with a text bomb",
        new PngFile(16, 16, 8, 2, false).compressed("zTXt", "Comment\0\0", far).end(rows),
        OK,
        CORRUPT);
    add(
        "png with an XMP bomb",
        new PngFile(16, 16, 8, 2, false)
            .compressed("iTXt", "XML:com.adobe.xmp\0\1\0\0\0", far)
            .end(rows),
        OK,
        CORRUPT);
    add(
        "png with an ICC bomb",
        new PngFile(16, 16, 8, 2, false).compressed("iCCP", "icc\0\0", far).end(rows),
        OK,
        CORRUPT);
    byte[] junk = PngFile.zeros(500);
    add(
        "png with a broken ICC profile",
        new PngFile(16, 16, 8, 2, false).compressed("iCCP", "icc\0\0", junk).end(rows),
        OK);
    PngFile chatty = new PngFile(16, 16, 8, 2, false);
    for (int i = 0; i < 20_000; i++) {
      chatty.chunk("tEXt", ("k" + i + "\0v").getBytes(StandardCharsets.ISO_8859_1));
    }
    add("png with 20,000 texts", chatty.end(rows), OK, CORRUPT);
    add("png 16 bits", new PngFile(30, 20, 16, 6, false).end(PngFile.zeros(20 * 241)), OK);
    add("png 1 bit", new PngFile(30, 20, 1, 0, false).end(PngFile.zeros(20 * 5)), OK);
    byte[] palette = {(byte) 200, 10, 10, 10, (byte) 200, 10};
    add(
        "png palette",
        new PngFile(30, 20, 8, PngFile.PALETTE, false)
            .chunk("PLTE", palette)
            .end(PngFile.zeros(20 * 31)),
        OK);
    add("png without its palette", new PngFile(30, 20, 8, 3, false).end(pixel), CORRUPT);
    add("png 1 x 1", new PngFile(1, 1, 8, PngFile.GREY, false).end(PngFile.zeros(2)), OK);
    add("png 1 x 16383", new PngFile(1, 16_383, 8, 2, false).end(PngFile.zeros(4 * 16_383)), OK);
    add("png 16383 x 1", new PngFile(16_383, 1, 8, 2, false).end(PngFile.zeros(49_150)), OK);
  }

  private void jpegs() {
    BufferedImage scene = Pictures.scene(1600, 1600, false);
    byte[] progressive = JpegFile.progressive(scene);
    add("jpeg progressive", progressive, OK);
    add("jpeg with 3,000 scans", JpegFile.manyScans(progressive, 3000), CORRUPT, DEADLINE, OK);
    add("jpeg 65,500 x 65,500", JpegFile.claiming(progressive, 65_500, 65_500), TOO_LARGE);
    add("jpeg larger than its data", JpegFile.claiming(progressive, 8000, 8000), CORRUPT, OK);
    add("jpeg of four channels", JpegFile.fourChannels(64, 48), OK);
    byte[] plain = good.get(ImageFormat.JPEG);
    add("jpeg with a broken ICC profile", JpegFile.with(plain, 0xe2, "ICC_PROFILE\0\1\1xx", 1), OK);
    add("jpeg with ICC part 7 of 2", JpegFile.with(plain, 0xe2, "ICC_PROFILE\0\7\2xx", 3), OK);
    add(
        "jpeg with broken EXIF",
        JpegFile.with(plain, 0xe1, "Exif\0\0MM\0*\u00ff\u00ff\u00ff\u00ff", 1),
        OK);
    add(
        "jpeg with 5,000 comments",
        JpegFile.with(plain, 0xfe, "c".repeat(1000), 5000),
        OK,
        CORRUPT);
    add("jpeg with a script", JpegFile.with(plain, 0xfe, "<?php system($_GET[0]); ?>", 1), OK);
  }

  private void avifs(byte[] tile) {
    add("avif grid 50,000 x 50,000", AvifGrid.of(tile, TILE_PX, 255, 50_000), TOO_LARGE, CORRUPT);
    add("avif grid of 2 x 2", AvifGrid.of(tile, TILE_PX, 2, 2 * TILE_PX), OK);
    add(
        "avif grid of 16,384 tiles",
        AvifGrid.of(tile, TILE_PX, 128, 128 * TILE_PX),
        OK,
        CORRUPT,
        DEADLINE);
    add("avif grid of too few tiles", AvifGrid.of(tile, TILE_PX, 1, 4096), CORRUPT, TOO_LARGE);
    byte[] sized = good.get(ImageFormat.AVIF).clone();
    int ispe = new String(sized, StandardCharsets.ISO_8859_1).indexOf("ispe");
    Arrays.fill(sized, ispe + 8, ispe + 16, (byte) 0x7f);
    add("avif 2^31 x 2^31", sized, TOO_LARGE, CORRUPT);
  }

  private void webps() {
    byte[] webp = good.get(ImageFormat.WEBP).clone();
    // VP8X: flags, reserved, then 24 bits of width and height, less one.
    byte[] canvas = {
      'R',
      'I',
      'F',
      'F',
      22,
      0,
      0,
      0,
      'W',
      'E',
      'B',
      'P',
      'V',
      'P',
      '8',
      'X',
      10,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      (byte) 0xff,
      (byte) 0xff,
      0,
      (byte) 0xff,
      (byte) 0xff,
      0
    };
    add("webp 65,536 x 65,536", canvas, TOO_LARGE, CORRUPT);
    Arrays.fill(webp, 4, 8, (byte) 0xff);
    add("webp that says 4 GB", webp, OK, CORRUPT);
  }

  private void mixtures() {
    byte[] png = good.get(ImageFormat.PNG);
    byte[] head = new byte[64];
    for (ImageFormat format : ImageFormat.values()) {
      byte[] other = good.get(format).clone();
      System.arraycopy(good.get(format), 0, head, 0, 32);
      byte[] body = png.clone();
      if (format != ImageFormat.PNG) {
        System.arraycopy(head, 0, body, 0, 16);
        add(format + " magic, png body", body, CORRUPT);
      }
      add(format + " and a zip", join(other, "PK\3\4 and then a zip"), OK);
      add(format + " and a page", join(other, "<html><script>alert(1)</script>"), OK);
      byte[] late =
          join(
              "x".getBytes(StandardCharsets.US_ASCII),
              new String(other, StandardCharsets.ISO_8859_1));
      add(format + " after a byte", late, FORMAT);
    }
    for (String text :
        List.of(
            "GIF89a\1\0\1\0\0\0\0;",
            "<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
            "%PDF-1.7",
            "II*\0\10\0\0\0",
            "MM\0*\0\0\0\10",
            "8BPS\0\1",
            "\0\0\0\30ftypheic\0\0\0\0mif1heic",
            "push graphic-context\nimage over 0,0 0,0 'https://example.org/'",
            "#!/bin/sh\nid")) {
      add(
          "no picture: " + text.replaceAll("[^!-~]+", " ").strip(),
          text.getBytes(StandardCharsets.ISO_8859_1),
          FORMAT);
    }
  }

  /** Cut off after every Nth byte; what ends within a pixel of its end may still be whole. */
  private void torn() {
    good.forEach(
        (format, bytes) -> {
          int step = Math.max(1, bytes.length / CUTS);
          for (int length = 0; length < bytes.length - 32; length += step) {
            add(format + " of " + length + " bytes", JpegFile.cut(bytes, length), CORRUPT, FORMAT);
          }
        });
  }

  private static byte[] join(byte[] bytes, String text) {
    byte[] more = text.getBytes(StandardCharsets.ISO_8859_1);
    byte[] both = Arrays.copyOf(bytes, bytes.length + more.length);
    System.arraycopy(more, 0, both, bytes.length, more.length);
    return both;
  }
}

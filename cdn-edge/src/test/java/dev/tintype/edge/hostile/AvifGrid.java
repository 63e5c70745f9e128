package dev.tintype.edge.hostile;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * An AVIF whose picture is a grid (ISO/IEC 23008-12, section 6.6.2.3) of one and the same tile: a
 * few hundred kilobytes of references that promise any size.
 */
final class AvifGrid {
  private static final int TILE_ITEM = 2;

  private AvifGrid() {}

  /**
   * A grid.
   *
   * @param avif a small picture, from which the tile and its configuration come
   * @param side of the tile, px
   * @param tiles along each side, 1 to 256
   * @param claimed width and height that the grid says it has
   */
  static byte[] of(byte[] avif, int side, int tiles, int claimed) {
    byte[] av1 = firstItem(avif);
    byte[] configuration = box(avif, "av1C");
    byte[] grid =
        ByteBuffer.allocate(12)
            .put((byte) 0)
            .put((byte) 1)
            .put((byte) (tiles - 1))
            .put((byte) (tiles - 1))
            .putInt(claimed)
            .putInt(claimed)
            .array();
    byte[] head = box("ftyp", "avif\0\0\0\0avifmif1miaf".getBytes(StandardCharsets.ISO_8859_1));
    int metaBytes = meta(tiles, side, claimed, configuration, grid.length, av1.length, 0).length;
    int data = head.length + metaBytes + 8;
    byte[] meta = meta(tiles, side, claimed, configuration, grid.length, av1.length, data);
    return join(head, meta, box("mdat", join(grid, av1)));
  }

  private static byte[] meta(
      int tiles, int side, int claimed, byte[] configuration, int grid, int av1, int data) {
    byte[] handler =
        full(
            "hdlr", 0, join(new byte[4], "pict".getBytes(StandardCharsets.US_ASCII), new byte[13]));
    byte[] primary = full("pitm", 0, shorts(1));
    byte[] places =
        full(
            "iloc",
            0,
            join(
                new byte[] {0x44, 0},
                shorts(2),
                location(1, data, grid),
                location(TILE_ITEM, data + grid, av1)));
    byte[] kinds = full("iinf", 0, join(shorts(2), entry(1, "grid"), entry(TILE_ITEM, "av01")));
    ByteBuffer derived = ByteBuffer.allocate(4 + 2 * Math.min(tiles * tiles, 65_535));
    derived.putShort((short) 1).putShort((short) Math.min(tiles * tiles, 65_535));
    while (derived.hasRemaining()) {
      derived.putShort((short) TILE_ITEM);
    }
    byte[] references = full("iref", 0, box("dimg", derived.array()));
    byte[] properties =
        box("ipco", join(size(claimed), size(side), configuration, full("pixi", 0, pixi())));
    byte[] belongs =
        full(
            "ipma",
            0,
            join(
                ByteBuffer.allocate(4).putInt(2).array(),
                shorts(1),
                new byte[] {2, (byte) 0x81, 4},
                shorts(TILE_ITEM),
                new byte[] {3, (byte) 0x82, (byte) 0x83, 4}));
    return full(
        "meta",
        0,
        join(handler, primary, places, kinds, references, box("iprp", join(properties, belongs))));
  }

  private static byte[] pixi() {
    return new byte[] {3, 8, 8, 8};
  }

  private static byte[] size(int side) {
    return full("ispe", 0, ByteBuffer.allocate(8).putInt(side).putInt(side).array());
  }

  private static byte[] location(int item, int at, int length) {
    return join(shorts(item, 0, 1), ByteBuffer.allocate(8).putInt(at).putInt(length).array());
  }

  private static byte[] entry(int item, String type) {
    return full(
        "infe", 2, join(shorts(item, 0), type.getBytes(StandardCharsets.US_ASCII), new byte[1]));
  }

  private static byte[] shorts(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length);
    for (int value : values) {
      bytes.putShort((short) value);
    }
    return bytes.array();
  }

  private static byte[] full(String type, int version, byte[] body) {
    return box(type, join(new byte[] {(byte) version, 0, 0, 0}, body));
  }

  private static byte[] box(String type, byte[] body) {
    return ByteBuffer.allocate(8 + body.length)
        .putInt(8 + body.length)
        .put(type.getBytes(StandardCharsets.US_ASCII))
        .put(body)
        .array();
  }

  /** A whole box of a file, found by its name. */
  private static byte[] box(byte[] file, String type) {
    int at = find(file, type);
    return Arrays.copyOfRange(file, at, at + ByteBuffer.wrap(file).getInt(at));
  }

  /** The first item's bytes, where iloc as libheif writes it says they are. */
  private static byte[] firstItem(byte[] file) {
    ByteBuffer places = ByteBuffer.wrap(file).position(find(file, "iloc") + 12);
    boolean based = (places.getShort() & 0xf0) != 0;
    places.position(places.position() + 6);
    int at = based ? places.getInt() : 0;
    places.getShort();
    at += places.getInt();
    return Arrays.copyOfRange(file, at, at + places.getInt());
  }

  private static int find(byte[] file, String type) {
    int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(type);
    if (at < 4) {
      throw new IllegalArgumentException("no box " + type);
    }
    return at - 4;
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}

package dev.tintype.edge;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/**
 * Pictures for tests, drawn and written by the JDK alone, so that libvips is never judged by
 * itself.
 */
public final class Pictures {
  public static final String XMP = xmp("trainedAlgorithmicMedia");

  /** An XMP packet with a Digital Source Type. */
  public static String xmp(String sourceType) {
    return "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF"
        + " xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
        + " xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'"
        + " Iptc4xmpExt:DigitalSourceType='"
        + sourceType
        + "'/></rdf:RDF></x:xmpmeta>";
  }

  private static final int PNG_HEADER_BYTES = 33;

  private Pictures() {}

  /** A sky over a red sun and a dark ground: colours, an edge, a gradient. */
  public static BufferedImage scene(int width, int height, boolean alpha) {
    BufferedImage image =
        new BufferedImage(
            width, height, alpha ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setPaint(
        new GradientPaint(0, 0, new Color(30, 60, 160), 0, height, new Color(240, 190, 120)));
    g.fillRect(0, 0, width, alpha ? height * 3 / 4 : height);
    g.setPaint(new Color(210, 40, 30));
    g.fillOval(width / 2, height / 8, width / 4, width / 4);
    if (!alpha) {
      g.setPaint(new Color(40, 50, 40));
      g.fillRect(0, height * 3 / 4, width, height - height * 3 / 4);
    }
    g.dispose();
    return image;
  }

  public static byte[] png(int width, int height) {
    return encode(scene(width, height, false), "png");
  }

  public static byte[] pngWithAlpha(int width, int height) {
    return encode(scene(width, height, true), "png");
  }

  public static byte[] jpeg(int width, int height) {
    return encode(scene(width, height, false), "jpeg");
  }

  public static byte[] encode(BufferedImage image, String format) {
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      if (!ImageIO.write(image, format, out)) {
        throw new IllegalStateException("no writer for " + format);
      }
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static BufferedImage decode(byte[] bytes) {
    try {
      return ImageIO.read(new ByteArrayInputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same PNG with an XMP packet, as the platform writes it: an iTXt chunk after the header. */
  public static byte[] withXmp(byte[] png) {
    return withXmp(png, XMP);
  }

  /** The same PNG with a text chunk. */
  public static byte[] withText(byte[] png, String keyword, String text) {
    byte[] data = (keyword + "\0" + text).getBytes(StandardCharsets.ISO_8859_1);
    return join(png, 0, PNG_HEADER_BYTES, chunk("tEXt", data), png, PNG_HEADER_BYTES);
  }

  public static byte[] withXmp(byte[] png, String xmp) {
    byte[] keyword = "XML:com.adobe.xmp\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
    byte[] packet = xmp.getBytes(StandardCharsets.UTF_8);
    byte[] data = new byte[keyword.length + packet.length];
    System.arraycopy(keyword, 0, data, 0, keyword.length);
    System.arraycopy(packet, 0, data, keyword.length, packet.length);
    return join(png, 0, PNG_HEADER_BYTES, chunk("iTXt", data), png, PNG_HEADER_BYTES);
  }

  /** A PNG whose header promises far more than it holds. */
  public static byte[] pngBomb(int width, int height) {
    byte[] png = png(1, 1);
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(header);
    try {
      out.writeInt(width);
      out.writeInt(height);
      out.write(new byte[] {8, 2, 0, 0, 0});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return join(png, 0, 8, chunk("IHDR", header.toByteArray()), png, PNG_HEADER_BYTES);
  }

  private static byte[] chunk(String type, byte[] data) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(bytes);
      byte[] name = type.getBytes(StandardCharsets.US_ASCII);
      CRC32 crc = new CRC32();
      crc.update(name);
      crc.update(data);
      out.writeInt(data.length);
      out.write(name);
      out.write(data);
      out.writeInt((int) crc.getValue());
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] join(
      byte[] head, int from, int to, byte[] middle, byte[] tail, int tailFrom) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(head, from, to - from);
    out.writeBytes(middle);
    out.write(tail, tailFrom, tail.length - tailFrom);
    return out.toByteArray();
  }

  public static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

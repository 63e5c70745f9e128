package dev.tintype.edge.vips;

import dev.tintype.edge.url.ImageFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.InflaterInputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Finds metadata in image files by walking their containers: nothing of libvips is in it. */
final class Containers {
  private static final String JPEG_XMP = "http://ns.adobe.com/xap/1.0/\0";
  private static final String IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";

  private Containers() {}

  /** The XMP packet of an image. */
  static Optional<String> xmp(byte[] image) {
    return switch (ImageSniffer.format(image).orElseThrow()) {
      case JPEG -> jpeg(image);
      case PNG -> png(image);
      case WEBP -> webp(image);
      case AVIF -> avif(image);
    };
  }

  /** The IPTC Digital Source Type, read by the JDK's XML parser. */
  static Optional<String> sourceType(byte[] image) throws Exception {
    Optional<String> xmp = xmp(image);
    if (xmp.isEmpty()) {
      return Optional.empty();
    }
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    byte[] xml = xmp.get().replace("\uFEFF", "").strip().getBytes(StandardCharsets.UTF_8);
    Document document = factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
    Element description =
        (Element)
            document
                .getElementsByTagNameNS(
                    "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "Description")
                .item(0);
    String type = description.getAttributeNS(IPTC, "DigitalSourceType");
    return type.isEmpty() ? Optional.empty() : Optional.of(type);
  }

  /** APP1 segments (XMP specification part 3, section 1.1.3). */
  private static Optional<String> jpeg(byte[] image) {
    ByteBuffer in = ByteBuffer.wrap(image).position(2);
    while (in.remaining() > 4) {
      int marker = in.getShort() & 0xffff;
      int length = in.getShort() & 0xffff;
      if (marker == 0xffda) {
        break;
      }
      String text = new String(image, in.position(), length - 2, StandardCharsets.UTF_8);
      if (marker == 0xffe1 && text.startsWith(JPEG_XMP)) {
        return Optional.of(text.substring(JPEG_XMP.length()));
      }
      in.position(in.position() + length - 2);
    }
    return Optional.empty();
  }

  private static Optional<String> png(byte[] image) {
    return Optional.ofNullable(pngTexts(image).get("XML:com.adobe.xmp"));
  }

  /** The tEXt, zTXt and iTXt chunks (PNG specification, third edition, section 11.3.3). */
  static Map<String, String> pngTexts(byte[] image) {
    Map<String, String> texts = new HashMap<>();
    ByteBuffer in = ByteBuffer.wrap(image).position(8);
    while (in.remaining() >= 12) {
      int length = in.getInt();
      byte[] type = new byte[4];
      in.get(type);
      byte[] data = new byte[length];
      in.get(data);
      in.getInt();
      int end = 0;
      while (end < length && data[end] != 0) {
        end++;
      }
      String keyword = new String(data, 0, end, StandardCharsets.ISO_8859_1);
      switch (new String(type, StandardCharsets.US_ASCII)) {
        case "tEXt" -> texts.put(keyword, text(data, end + 1, false));
        case "zTXt" -> texts.put(keyword, text(data, end + 2, true));
        // Flag, method, then the language and the translated keyword, which are empty here.
        case "iTXt" -> texts.put(keyword, text(data, end + 5, data[end + 1] == 1));
        default -> {}
      }
    }
    return texts;
  }

  private static String text(byte[] data, int from, boolean compressed) {
    byte[] rest = Arrays.copyOfRange(data, from, data.length);
    if (!compressed) {
      return new String(rest, StandardCharsets.UTF_8);
    }
    try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(rest))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A RIFF chunk named "XMP ". */
  private static Optional<String> webp(byte[] image) {
    ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).position(12);
    while (in.remaining() >= 8) {
      byte[] type = new byte[4];
      in.get(type);
      int length = in.getInt();
      if (new String(type, StandardCharsets.US_ASCII).equals("XMP ")) {
        return Optional.of(new String(image, in.position(), length, StandardCharsets.UTF_8));
      }
      in.position(in.position() + length + (length & 1));
    }
    return Optional.empty();
  }

  /** An item of type mime lies uncompressed in the file. */
  private static Optional<String> avif(byte[] image) {
    String text = new String(image, StandardCharsets.UTF_8);
    int from = text.indexOf("<x:xmpmeta");
    int to = text.indexOf("</x:xmpmeta>");
    return from < 0 ? Optional.empty() : Optional.of(text.substring(from, to + 12));
  }

  /** Whether a JPEG's frame is progressive (SOF2), or a PNG is interlaced (Adam7). */
  static boolean progressive(byte[] image) {
    if (ImageSniffer.format(image).orElseThrow() == ImageFormat.PNG) {
      return image[28] == 1;
    }
    for (int i = 0; i + 1 < image.length; i++) {
      if ((image[i] & 0xff) == 0xff && (image[i + 1] & 0xff) == 0xc2) {
        return true;
      }
    }
    return false;
  }

  /** Whether some text stands in the file, as it is or in a chunk of text. */
  static boolean contains(byte[] image, String text) {
    if (ImageSniffer.format(image).orElseThrow() == ImageFormat.PNG) {
      return pngTexts(image).values().stream().anyMatch(each -> each.contains(text));
    }
    byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i + wanted.length <= image.length; i++) {
      if (Arrays.equals(image, i, i + wanted.length, wanted, 0, wanted.length)) {
        return true;
      }
    }
    return false;
  }
}

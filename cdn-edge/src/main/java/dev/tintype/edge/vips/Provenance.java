package dev.tintype.edge.vips;

import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Metadata;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a variant says about where it comes from. The IPTC Digital Source Type (IPTC Photo Metadata
 * Standard 2023.2, NewsCodes {@code digitalsourcetype}) of an original is in every variant of it,
 * also in a stripped one: laws ask for the mark, and nobody's privacy depends on its absence.
 */
final class Provenance {
  private static final String XMP = "xmp-data";

  /** An XMP packet that is larger is not searched; the platform's own has some 700 bytes. */
  private static final int XMP_BYTES_MAX = 256 * 1024;

  /** A text of the recipe that is longer would not fit the 64 KiB of a JPEG's EXIF. */
  private static final int RECIPE_BYTES_MAX = 32 * 1024;

  /** How PNG pictures of Stable Diffusion tools name their recipe, as libvips lists it. */
  private static final String RECIPE_START = "png-comment-";

  private static final String RECIPE_ENDING = "-parameters";

  /** Where the same tools look for it in other formats. */
  private static final String USER_COMMENT = "exif-ifd2-UserComment";

  /** As an attribute or as an element, with the whole URI or the last part of it alone. */
  private static final Pattern SOURCE_TYPE =
      Pattern.compile(
          "DigitalSourceType(?:\\s*=\\s*[\"']|[^>]{0,100}>)\\s*"
              + "(?:https?://cv\\.iptc\\.org/newscodes/digitalsourcetype/)?([A-Za-z]{3,64})");

  private static final String PACKET =
      """
      <?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\
      <x:xmpmeta xmlns:x="adobe:ns:meta/">\
      <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
      <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
      Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/%s"/>\
      </rdf:RDF></x:xmpmeta><?xpacket end="r"?>\
      """;

  private Provenance() {}

  /** The {@code keep} of libvips' savers that goes with what {@link #write} did. */
  static String keep(Metadata metadata) {
    return switch (metadata) {
      case KEEP -> "all";
      case STRIP -> "xmp";
    };
  }

  /**
   * Makes the image say what its variant shall say.
   *
   * @param image a copy that belongs to the caller alone
   * @param format what it will be written as
   */
  static void write(Arena arena, MemorySegment image, ImageFormat format, Metadata metadata) {
    switch (metadata) {
      case KEEP -> keepRecipe(arena, image, format);
      case STRIP -> strip(arena, image);
    }
  }

  /** A PNG carries its recipe in a chunk of text; other formats have EXIF for it. */
  private static void keepRecipe(Arena arena, MemorySegment image, ImageFormat format) {
    if (format == ImageFormat.PNG || !Fields.text(arena, image, USER_COMMENT).isEmpty()) {
      return;
    }
    Fields.named(image, RECIPE_START, RECIPE_ENDING)
        .map(name -> Fields.text(arena, image, name))
        .filter(recipe -> !recipe.isEmpty() && utf8(recipe) <= RECIPE_BYTES_MAX)
        .ifPresent(recipe -> Fields.set(arena, image, USER_COMMENT, recipe));
  }

  private static int utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static void strip(Arena arena, MemorySegment image) {
    Optional<String> type = sourceType(arena, image);
    Vips.vips_image_remove(image, arena.allocateFrom(XMP));
    type.ifPresent(
        word ->
            Fields.set(arena, image, XMP, PACKET.formatted(word).getBytes(StandardCharsets.UTF_8)));
  }

  private static Optional<String> sourceType(Arena arena, MemorySegment image) {
    return Fields.blob(arena, image, XMP)
        .filter(packet -> packet.byteSize() <= XMP_BYTES_MAX)
        .flatMap(
            packet ->
                sourceType(
                    new String(packet.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8)));
  }

  /** The last part of the Digital Source Type that an XMP packet names. */
  static Optional<String> sourceType(String xmp) {
    Matcher found = SOURCE_TYPE.matcher(xmp);
    return found.find() ? Optional.of(found.group(1)) : Optional.empty();
  }
}

package dev.tintype.edge.http;

import dev.tintype.edge.url.ImageFormat;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * Collapses an {@code Accept} header (RFC 9110, section 12.5.1) to one format, before any cache key
 * is made. AVIF and WebP must be named: a wildcard comes from every client, also from those that
 * cannot read them. Among what a client names, the higher q wins, and with equal q the smaller
 * format.
 */
public final class Negotiation {
  /** Longest header that is read; what is longer counts as absent. */
  static final int ACCEPT_CHARS_MAX = 1024;

  private Negotiation() {}

  /**
   * The format for a client; JPEG when it says nothing that helps.
   *
   * @param accept the header's value, several headers joined by commas; null when absent
   */
  public static ImageFormat choose(String accept) {
    return choose(accept, true);
  }

  /**
   * The format for a client as long as there is no AVIF. One that names AVIF and accepts nothing
   * else gets WebP: caches in front reduce a browser's header to {@code image/avif}, and there is
   * no browser that reads AVIF but not WebP.
   */
  static ImageFormat chooseBesidesAvif(String accept) {
    return choose(accept, false);
  }

  private static ImageFormat choose(String accept, boolean withAvif) {
    if (accept == null || accept.length() > ACCEPT_CHARS_MAX) {
      return ImageFormat.JPEG;
    }
    Map<ImageFormat, Double> named = new EnumMap<>(ImageFormat.class);
    double anyImage = -1;
    double anything = -1;
    for (String element : accept.split(",")) {
      String[] parts = element.split(";", -1);
      String type = parts[0].strip().toLowerCase(Locale.ROOT);
      double weight = weight(parts);
      switch (type) {
        case "image/*" -> anyImage = weight;
        case "*/*" -> anything = weight;
        default -> {
          for (ImageFormat format : ImageFormat.values()) {
            if (format.mediaType().equals(type)) {
              named.put(format, weight);
            }
          }
        }
      }
    }
    double wildcard = anyImage >= 0 ? anyImage : Math.max(anything, 0);
    double jpeg = named.getOrDefault(ImageFormat.JPEG, wildcard);
    if (!withAvif) {
      boolean alone = named.size() == 1 && jpeg == 0;
      if (named.remove(ImageFormat.AVIF) != null && alone) {
        return ImageFormat.WEBP;
      }
    }
    return best(named, jpeg);
  }

  private static ImageFormat best(Map<ImageFormat, Double> named, double jpeg) {
    double avif = named.getOrDefault(ImageFormat.AVIF, 0.0);
    double webp = named.getOrDefault(ImageFormat.WEBP, 0.0);
    if (avif > 0 && avif >= webp && avif >= jpeg) {
      return ImageFormat.AVIF;
    }
    if (webp > 0 && webp >= jpeg) {
      return ImageFormat.WEBP;
    }
    // PNG only for a client that can read nothing smaller: it is several times as large.
    boolean pngOnly = jpeg == 0 && named.getOrDefault(ImageFormat.PNG, 0.0) > 0;
    return pngOnly ? ImageFormat.PNG : ImageFormat.JPEG;
  }

  /** The q parameter; 1 when absent, 0 when it is not a number from 0 to 1. */
  private static double weight(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].strip().toLowerCase(Locale.ROOT);
      if (parameter.startsWith("q=")) {
        String value = parameter.substring(2).strip();
        return value.matches("0(\\.\\d{0,3})?|1(\\.0{0,3})?") ? Double.parseDouble(value) : 0;
      }
    }
    return 1;
  }
}

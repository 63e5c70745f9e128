package dev.tintype.edge.http;

/** Comparison of entity tags (RFC 9110, sections 8.8.3 and 13.1). */
final class EntityTags {
  private EntityTags() {}

  /**
   * If-None-Match: weak comparison, any of a list, or {@code *}.
   *
   * @param header null when absent
   */
  static boolean noneMatchHits(String header, String etag) {
    if (header == null) {
      return false;
    }
    for (String each : header.split(",")) {
      String tag = each.strip();
      if (tag.equals("*") || tag.equals(etag) || tag.equals("W/" + etag)) {
        return true;
      }
    }
    return false;
  }

  /**
   * If-Match: strong comparison, any of a list, or {@code *}; absent it holds.
   *
   * @param header null when absent
   */
  static boolean matchHolds(String header, String etag) {
    if (header == null) {
      return true;
    }
    for (String each : header.split(",")) {
      String tag = each.strip();
      if (tag.equals("*") || tag.equals(etag)) {
        return true;
      }
    }
    return false;
  }

  /**
   * If-Range: strong comparison; a date never fits, as images here have no Last-Modified.
   *
   * @param header null when absent
   */
  static boolean rangeAllowed(String header, String etag) {
    return header == null || header.strip().equals(etag);
  }
}

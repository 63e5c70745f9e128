package dev.tintype.edge.http;

import dev.tintype.edge.error.EdgeException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One range of bytes (RFC 9110, section 14). Several ranges at once, other units and what cannot be
 * read are ignored, which the RFC allows: the answer is then the whole image.
 *
 * @param first first byte
 * @param last last byte, inclusive
 */
record ByteRange(long first, long last) {
  private static final Pattern SINGLE =
      Pattern.compile("(?i:bytes)=\\s*(\\d{0,18})-(\\d{0,18})\\s*");

  /**
   * Reads a Range header.
   *
   * @param header null when absent
   * @param size size of the whole image in bytes
   * @throws EdgeException edge.range when no byte of the range exists
   */
  static Optional<ByteRange> parse(String header, long size) {
    Matcher matcher = header == null ? null : SINGLE.matcher(header);
    if (matcher == null || !matcher.matches()) {
      return Optional.empty();
    }
    String from = matcher.group(1);
    String to = matcher.group(2);
    if (from.isEmpty()) {
      return to.isEmpty() ? Optional.empty() : Optional.of(suffix(Long.parseLong(to), size));
    }
    long first = Long.parseLong(from);
    long last = to.isEmpty() ? size - 1 : Math.min(Long.parseLong(to), size - 1);
    if (!to.isEmpty() && Long.parseLong(to) < first) {
      return Optional.empty();
    }
    if (first >= size) {
      throw EdgeException.rangeOutside(size);
    }
    return Optional.of(new ByteRange(first, last));
  }

  private static ByteRange suffix(long length, long size) {
    if (length == 0 || size == 0) {
      throw EdgeException.rangeOutside(size);
    }
    return new ByteRange(Math.max(0, size - length), size - 1);
  }

  long length() {
    return last - first + 1;
  }
}

package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A path of the edge whose signature has been verified: {@code
 * /i/{signature}/{ops}/{sha256}.{ext}}. The signed message is {@code /i/{ops}/{sha256}.{ext}}, byte
 * for byte as in the URL after percent-decoding.
 *
 * @param operations what is asked
 * @param sha256 the original: 64 lower-case hexadecimal digits
 * @param format the format that the URL names; empty for {@code auto}
 * @param canonicalPath the one path for this request, signed
 * @param canonical whether the path asked for is that one
 */
public record ImageRequest(
    Operations operations,
    String sha256,
    Optional<ImageFormat> format,
    String canonicalPath,
    boolean canonical) {

  /** Every path of the edge starts so. */
  public static final String PREFIX = "/i/";

  /** The extension that means: the smallest format that the client reads. */
  public static final String AUTO = "auto";

  /** Stands in the place of the signature where none is needed. */
  public static final String UNSIGNED = "-";

  /** Longest path that is looked at. */
  public static final int PATH_CHARS_MAX = 512;

  private static final int SHA256_DIGITS = 64;

  /** {@link #parse(SigningKeys, Set, String)} where everything needs a signature. */
  public static ImageRequest parse(SigningKeys keys, String rawPath) {
    return parse(keys, Set.of(), rawPath);
  }

  /**
   * Verifies the signature before anything else, then reads the path.
   *
   * @param keys the keys that are alive
   * @param unsigned presets that need no signature where they stand alone
   * @param rawPath the path as the client sent it, without the query
   * @throws EdgeException edge.url.malformed, edge.signature, edge.ops.invalid
   */
  public static ImageRequest parse(SigningKeys keys, Set<Preset> unsigned, String rawPath) {
    if (rawPath.length() > PATH_CHARS_MAX) {
      throw EdgeException.malformedUrl(
          "An image path has " + PATH_CHARS_MAX + " characters at most.");
    }
    String path = rawPath.indexOf('%') < 0 ? rawPath : decoded(rawPath);
    int signatureEnd = path.indexOf('/', PREFIX.length());
    int operationsEnd = signatureEnd < 0 ? -1 : path.indexOf('/', signatureEnd + 1);
    if (!path.startsWith(PREFIX)
        || operationsEnd < 0
        || path.indexOf('/', operationsEnd + 1) >= 0) {
      throw EdgeException.malformedUrl(
          "An image path is /i/{signature}/{operations}/{sha256}.{extension}.");
    }
    String signature = path.substring(PREFIX.length(), signatureEnd);
    String message = path.substring(signatureEnd + 1);
    String text = path.substring(signatureEnd + 1, operationsEnd);
    boolean open =
        signature.equals(UNSIGNED) && unsigned.stream().anyMatch(each -> each.word().equals(text));
    if (!open && keys.verify(signature, PREFIX + message).isEmpty()) {
      throw EdgeException.badSignature();
    }
    Operations operations = Operations.parse(text);
    String file = path.substring(operationsEnd + 1);
    String sha256 = sha256Of(file);
    String extension = file.substring(SHA256_DIGITS + 1);
    Optional<ImageFormat> format = formatOf(extension);
    if (operations.original() && format.isEmpty()) {
      throw EdgeException.badOperation("orig takes the original's own extension, not auto.");
    }
    String canonicalMessage = message(operations, sha256, format);
    boolean canonical = canonicalMessage.equals(message) && path.length() == rawPath.length();
    // The request's own signature is kept where nothing changes, so that a URL of an older live key
    // stays canonical.
    String canonicalPath =
        canonical
            ? path
            : open ? PREFIX + UNSIGNED + "/" + canonicalMessage : signed(keys, canonicalMessage);
    return new ImageRequest(operations, sha256, format, canonicalPath, canonical);
  }

  static String signed(SigningKeys keys, String message) {
    return PREFIX + keys.sign(PREFIX + message) + "/" + message;
  }

  static String message(Operations operations, String sha256, Optional<ImageFormat> format) {
    return operations.canonical(format)
        + "/"
        + sha256
        + "."
        + format.map(ImageFormat::extension).orElse(AUTO);
  }

  static String sha256Of(String file) {
    boolean shaped = file.length() > SHA256_DIGITS + 1 && file.charAt(SHA256_DIGITS) == '.';
    String sha256 = shaped ? file.substring(0, SHA256_DIGITS).toLowerCase(Locale.ROOT) : "";
    if (!shaped
        || !sha256.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      throw EdgeException.malformedUrl(
          "The file is the original's SHA-256 in 64 hexadecimal digits, a dot, an extension.");
    }
    return sha256;
  }

  private static Optional<ImageFormat> formatOf(String extension) {
    if (extension.equals(AUTO)) {
      return Optional.empty();
    }
    return Optional.of(
        ImageFormat.ofExtension(extension)
            .orElseThrow(
                () ->
                    EdgeException.malformedUrl("The extension is avif, webp, jpeg, png or auto.")));
  }

  /** Percent-decodes ASCII; some clients escape the colons and commas of the operations. */
  private static String decoded(String raw) {
    StringBuilder text = new StringBuilder(raw.length());
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c != '%') {
        text.append(c);
        continue;
      }
      int high = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 1), 16) : -1;
      int low = high < 0 ? -1 : Character.digit(raw.charAt(i + 2), 16);
      int value = (high << 4) | low;
      if (low < 0 || value < 0x21 || value > 0x7e || value == '/' || value == '%') {
        throw EdgeException.malformedUrl("The path has a percent escape that no image path needs.");
      }
      text.append((char) value);
      i += 2;
    }
    return new String(
        text.toString().getBytes(StandardCharsets.US_ASCII), StandardCharsets.US_ASCII);
  }
}

package dev.tintype.edge.url;

import java.util.Optional;

/**
 * Makes signed, canonical paths. The host is the caller's: these are paths from {@code /i/} on.
 *
 * <pre>{@code
 * var urls = new VariantUrls(keys);
 * urls.auto(sha256, Operations.of(Preset.CARD));               // the smallest format that the client reads
 * urls.variant(sha256, Operations.none().width(640), ImageFormat.WEBP);
 * urls.original(sha256, ImageFormat.PNG);
 * }</pre>
 */
public final class VariantUrls {
  private final SigningKeys keys;

  /** Signs with the first of the keys. */
  public VariantUrls(SigningKeys keys) {
    this.keys = keys;
  }

  /** A variant in the smallest format that the client reads. */
  public String auto(String sha256, Operations operations) {
    return path(sha256, operations, Optional.empty());
  }

  /** A variant in a format. */
  public String variant(String sha256, Operations operations, ImageFormat format) {
    return path(sha256, operations, Optional.of(format));
  }

  /**
   * The original's own bytes.
   *
   * @param format what the original is stored as
   */
  public String original(String sha256, ImageFormat format) {
    return path(sha256, Operations.orig(), Optional.of(format));
  }

  private String path(String sha256, Operations operations, Optional<ImageFormat> format) {
    // Parsed back, so that what is signed here is never refused there.
    Operations checked = Operations.parse(operations.canonical(format));
    String checkedSha256 = ImageRequest.sha256Of(sha256 + "." + ImageRequest.AUTO);
    return ImageRequest.signed(keys, ImageRequest.message(checked, checkedSha256, format));
  }
}

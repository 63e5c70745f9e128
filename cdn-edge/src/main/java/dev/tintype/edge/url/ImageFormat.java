package dev.tintype.edge.url;

import java.util.Optional;

/** The picture formats of the edge, both as input and as output. */
public enum ImageFormat {
  /** AV1 still picture; the smallest, for clients that name it in {@code Accept}. */
  AVIF("avif", "image/avif"),
  /** WebP, lossy. */
  WEBP("webp", "image/webp"),
  /** JPEG, for everybody else; has no transparency. */
  JPEG("jpeg", "image/jpeg"),
  /** PNG: lossless. */
  PNG("png", "image/png");

  private final String extension;
  private final String mediaType;

  ImageFormat(String extension, String mediaType) {
    this.extension = extension;
    this.mediaType = mediaType;
  }

  /** The canonical file name extension, without the dot. */
  public String extension() {
    return extension;
  }

  /** The media type (RFC 6838). */
  public String mediaType() {
    return mediaType;
  }

  /** Whether the quality operation has a meaning for this format. */
  public boolean lossy() {
    return this != PNG;
  }

  /** Whether the format can be written with loss and without. */
  public boolean choosesLoss() {
    return this == WEBP || this == AVIF;
  }

  /** Whether a picture can be sent coarse first. */
  public boolean canBeProgressive() {
    return this == JPEG || this == PNG;
  }

  /** The format of an extension; {@code jpg} is understood as {@code jpeg}. */
  public static Optional<ImageFormat> ofExtension(String extension) {
    return switch (extension) {
      case "avif" -> Optional.of(AVIF);
      case "webp" -> Optional.of(WEBP);
      case "jpeg", "jpg" -> Optional.of(JPEG);
      case "png" -> Optional.of(PNG);
      default -> Optional.empty();
    };
  }
}

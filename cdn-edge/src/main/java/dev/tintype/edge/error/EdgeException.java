package dev.tintype.edge.error;

/**
 * A request, an original or a configuration that the edge refuses. The code is stable and listed in
 * docs/errors.md; the message is meant for the caller and says what to do; it never holds a key or
 * a path of this machine.
 */
public abstract sealed class EdgeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;
  private final int status;

  private EdgeException(String code, int status, String message) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** The stable code, such as {@code edge.signature}. */
  public final String code() {
    return code;
  }

  /** The HTTP status that this error answers with. */
  public final int status() {
    return status;
  }

  /** Seconds after which asking again makes sense; 0 when it never does. */
  public int retryAfterS() {
    return 0;
  }

  /**
   * No stack trace: these are answers, not faults, and hostile traffic can cause thousands of them
   * a second.
   */
  @Override
  public final synchronized Throwable fillInStackTrace() {
    return this;
  }

  /** The URL or one of its operations cannot be understood. */
  public static final class BadRequest extends EdgeException {
    private static final long serialVersionUID = 1L;

    private BadRequest(String code, String message) {
      super(code, 400, message);
    }
  }

  /** The signature does not fit the URL. */
  public static final class Forbidden extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Forbidden(String message) {
      super("edge.signature", 403, message);
    }
  }

  /** There is no such original. */
  public static final class Missing extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Missing(String message) {
      super("edge.original.missing", 404, message);
    }
  }

  /** Neither GET nor HEAD. */
  public static final class WrongMethod extends EdgeException {
    private static final long serialVersionUID = 1L;

    private WrongMethod(String message) {
      super("edge.method", 405, message);
    }
  }

  /** The picture was purged. */
  public static final class Purged extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Purged() {
      super("edge.purged", 410, "This picture was removed.");
    }
  }

  /** The URL has expired. */
  public static final class Expired extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Expired(String message) {
      super("edge.expired", 410, message);
    }
  }

  /** The original is no picture that the edge takes: wrong format, broken, or over a budget. */
  public static final class Unsupported extends EdgeException {
    private static final long serialVersionUID = 1L;

    private final boolean ofOriginal;

    private Unsupported(String code, boolean ofOriginal, String message) {
      super(code, 415, message);
      this.ofOriginal = ofOriginal;
    }

    /** Whether no variant of the original can be made, not just the one that was asked for. */
    public boolean ofOriginal() {
      return ofOriginal;
    }
  }

  /** No byte of the range asked for exists. */
  public static final class RangeOutside extends EdgeException {
    private static final long serialVersionUID = 1L;
    private final long size;

    private RangeOutside(long size) {
      super("edge.range", 416, "The range lies outside the " + size + " bytes of this image.");
      this.size = size;
    }

    /** Size of the whole image in bytes. */
    public long size() {
      return size;
    }
  }

  /** The client's If-Match names another picture. */
  public static final class Precondition extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Precondition() {
      super(
          "edge.precondition",
          412,
          "If-Match names another version of this image; ask without it.");
    }
  }

  /** Too much at once; asking again a little later makes sense. */
  public static final class Busy extends EdgeException {
    private static final long serialVersionUID = 1L;
    private final int retryAfterS;

    private Busy(String code, int status, int retryAfterS, String message) {
      super(code, status, message);
      this.retryAfterS = retryAfterS;
    }

    @Override
    public int retryAfterS() {
      return retryAfterS;
    }
  }

  /** Something on this side broke: a folder, the encoder. */
  public static final class Failed extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Failed(String message) {
      super("edge.internal", 500, message);
    }
  }

  /** The configuration cannot be used; thrown at start, never on a request. */
  public static final class Config extends EdgeException {
    private static final long serialVersionUID = 1L;

    private Config(String message) {
      super("edge.config", 500, message);
    }
  }

  /** The path is not {@code /i/{signature}/{ops}/{sha256}.{ext}}. */
  public static EdgeException malformedUrl(String message) {
    return new BadRequest("edge.url.malformed", message);
  }

  /** An operation is unknown, repeated or out of its range. */
  public static EdgeException badOperation(String message) {
    return new BadRequest("edge.ops.invalid", message);
  }

  /**
   * The signature is missing, wrong, or made with a key that is not live. One message for all, so
   * that it tells nothing.
   */
  public static EdgeException badSignature() {
    return new Forbidden(
        "The signature does not fit this URL; ask the application that made it for a new one.");
  }

  /** Neither GET nor HEAD. */
  public static EdgeException wrongMethod(String method) {
    return new WrongMethod(method + " is not possible here; use GET or HEAD.");
  }

  /** No original has this hash. */
  public static EdgeException missing(String sha256) {
    return new Missing("There is no image " + sha256 + ".");
  }

  /** The original exists, but as another format than the URL says. */
  public static EdgeException missingAs(String sha256, String asked, String found) {
    return new Missing(
        "The original "
            + sha256
            + " is "
            + found
            + ", not "
            + asked
            + "; sign orig/"
            + sha256
            + "."
            + found
            + ".");
  }

  /** The {@code exp} of the URL lies in the past. */
  public static EdgeException expired(long expiresS) {
    return new Expired(
        "This URL was good until "
            + java.time.Instant.ofEpochSecond(expiresS)
            + "; ask for a new one.");
  }

  /** The picture was purged. */
  public static EdgeException purged() {
    return new Purged();
  }

  /** The original is none of PNG, JPEG, WebP, AVIF. */
  public static EdgeException wrongFormat() {
    return new Unsupported(
        "edge.original.format", true, "The original is none of PNG, JPEG, WebP, AVIF.");
  }

  /** The original starts like a picture but cannot be decoded. */
  public static EdgeException corrupt() {
    return new Unsupported(
        "edge.original.corrupt",
        true,
        "The original is damaged or truncated and cannot be decoded.");
  }

  /** The original is decoded, but this variant of it cannot be written. */
  public static EdgeException cannotEncode() {
    return new Unsupported(
        "edge.original.corrupt", false, "This variant of the original cannot be encoded.");
  }

  /** The original is over a budget. */
  public static EdgeException tooLarge(String message) {
    return new Unsupported("edge.original.too_large", true, message);
  }

  /** The variant asked for is over a budget. */
  public static EdgeException variantTooLarge(String message) {
    return new Unsupported("edge.original.too_large", false, message);
  }

  /** The range of the request starts after the last byte. */
  public static EdgeException rangeOutside(long size) {
    return new RangeOutside(size);
  }

  /** If-Match does not hold. */
  public static EdgeException precondition() {
    return new Precondition();
  }

  /** One original has too many variants in the making. */
  public static EdgeException tooManyVariants(int max) {
    return new Busy(
        "edge.variants.too_many",
        429,
        1,
        "More than " + max + " variants of this image are being made; ask again in a second.");
  }

  /** A queue is full. */
  public static EdgeException busy() {
    return new Busy("edge.busy", 503, 1, "The edge is busy; ask again in a second.");
  }

  /** What requests hold in memory has reached its bound. */
  public static EdgeException outOfMemory() {
    return new Busy(
        "edge.memory",
        503,
        1,
        "The edge has as many images in memory as it may; ask again in a second.");
  }

  /** The variant was not ready in time. */
  public static EdgeException deadline(long deadlineMs) {
    return new Busy(
        "edge.encode.deadline",
        503,
        5,
        "The image was not ready within " + deadlineMs + " ms; ask again, or for a smaller size.");
  }

  /** The shared store of variants did not do what a purge needs. */
  public static EdgeException storeFailed() {
    return new Busy(
        "edge.store",
        503,
        10,
        "The store of variants could not be cleared; purge the picture again.");
  }

  /** There is no usable libvips; the reason says why and what to install. */
  public static EdgeException noLibvips(String reason) {
    return new Busy("edge.libvips.missing", 503, 60, "Variants cannot be made here: " + reason);
  }

  /** Something on this side broke; details are in the log. */
  public static EdgeException failed() {
    return new Failed("The edge could not answer; the log of the node says why.");
  }

  /** A configuration value that cannot be used. */
  public static EdgeException config(String message) {
    return new Config(message);
  }
}

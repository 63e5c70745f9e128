package dev.tintype.queue;

import java.util.Objects;

/**
 * Every error that this module raises on purpose. {@link #code()} is stable and listed in
 * docs/errors.md; the message says what to do about it and never contains a secret.
 */
public abstract sealed class QueueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;

  private QueueException(String code, String message, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code);
  }

  /** The stable code, such as {@code "store.unavailable"}. */
  public String code() {
    return code;
  }

  /**
   * A recipe, an id or another argument that no job can have. The client must change its request; a
   * retry does not help.
   */
  public static final class Invalid extends QueueException {
    private static final long serialVersionUID = 1L;

    public Invalid(String code, String message) {
      super(code, message, null);
    }

    public Invalid(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }

  /**
   * The database, or another server that the queue needs, cannot answer now: down, restarting, too
   * slow, full or read-only. Nothing was accepted; a retry may help.
   */
  public static final class Unavailable extends QueueException {
    private static final long serialVersionUID = 1L;

    public Unavailable(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }

  /**
   * The database answered, and the answer means a defect or a schema that this version does not
   * know.
   */
  public static final class Broken extends QueueException {
    private static final long serialVersionUID = 1L;

    public Broken(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }

  /**
   * The embedded database refuses to start on this folder or machine, or a server answers and does
   * not let us in; a person has to change something.
   */
  public static final class Refused extends QueueException {
    private static final long serialVersionUID = 1L;

    public Refused(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }

  /** A blob could not be read or written: missing, disk full, read-only folder, broken disk. */
  public static final class Blob extends QueueException {
    private static final long serialVersionUID = 1L;

    public Blob(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }
}

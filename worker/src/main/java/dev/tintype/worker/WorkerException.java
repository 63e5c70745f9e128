package dev.tintype.worker;

import java.util.Objects;

/** What the worker itself refuses; each has a stable code, listed in docs/errors.md. */
public abstract sealed class WorkerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;

  private WorkerException(String code, String message, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code);
  }

  /** The stable code, such as {@code "worker.config"}. */
  public String code() {
    return code;
  }

  /** A setting that makes no sense. */
  public static final class Config extends WorkerException {
    private static final long serialVersionUID = 1L;

    public Config(String code, String message) {
      super(code, message, null);
    }
  }

  /** A job that this worker cannot run, however often it is tried. */
  public static final class Unsuitable extends WorkerException {
    private static final long serialVersionUID = 1L;

    public Unsuitable(String code, String message) {
      super(code, message, null);
    }

    public Unsuitable(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }
}

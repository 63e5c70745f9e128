package dev.tintype.node;

import java.util.Objects;

/**
 * What the node itself refuses; each has a stable code, listed in docs/errors.md, and a message
 * that says what to do.
 */
public abstract sealed class NodeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;

  private NodeException(String code, String message, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code);
  }

  /** The stable code, such as {@code "port.taken"}. */
  public String code() {
    return code;
  }

  /** A setting or an argument that makes no sense. */
  public static final class Config extends NodeException {
    private static final long serialVersionUID = 1L;

    public Config(String code, String message) {
      super(code, message, null);
    }
  }

  /** The machine does not let the node start: port, folder, disk, model. */
  public static final class Start extends NodeException {
    private static final long serialVersionUID = 1L;

    public Start(String code, String message) {
      super(code, message, null);
    }

    public Start(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }

  /** A server's refusal, or a job that did not end well, as the command line shows it. */
  public static final class Remote extends NodeException {
    private static final long serialVersionUID = 1L;

    public Remote(String code, String message) {
      super(code, message, null);
    }

    public Remote(String code, String message, Throwable cause) {
      super(code, message, cause);
    }
  }
}

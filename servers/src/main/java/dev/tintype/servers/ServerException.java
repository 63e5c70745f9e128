package dev.tintype.servers;

/** A server did not start, or not in time; the message names its log. */
public final class ServerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ServerException(String message, Throwable cause) {
    super(message, cause);
  }
}

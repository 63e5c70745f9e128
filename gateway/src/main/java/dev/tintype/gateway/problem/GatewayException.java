package dev.tintype.gateway.problem;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A refusal that a client is told about. The {@link #code()} is stable (docs/errors.md lists them
 * all), the message says what to do, and neither ever carries a secret or a stack trace.
 */
public abstract sealed class GatewayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;
  private final int status;

  private GatewayException(int status, String code, String message) {
    // No stack trace: these are answers to clients, thrown often and never debugged from a trace.
    super(message, null, false, false);
    this.status = status;
    this.code = Objects.requireNonNull(code);
  }

  /** Stable, dotted, lower case: "prompt.too_long". */
  public final String code() {
    return code;
  }

  /** HTTP status of the answer. */
  public final int status() {
    return status;
  }

  /** The request member at fault ("steps", "--ar"), when one is. */
  public Optional<String> parameter() {
    return Optional.empty();
  }

  /** When to try again, when waiting helps. */
  public Optional<Duration> retryAfter() {
    return Optional.empty();
  }

  /** How long the job might have waited, where it was refused for that. */
  public Optional<Duration> predictedWait() {
    return Optional.empty();
  }

  /** The prompt text cannot be read: its parameters, its length or its characters. Status 422. */
  public static final class PromptException extends GatewayException {
    private static final long serialVersionUID = 1L;
    private final String parameter;

    /**
     * @param parameter what is at fault: "prompt", "negative_prompt" or a prompt parameter such as
     *     "--ar"
     */
    public PromptException(String code, String parameter, String message) {
      super(422, code, message);
      this.parameter = parameter;
    }

    @Override
    public Optional<String> parameter() {
      return Optional.of(parameter);
    }
  }

  /**
   * The request itself is wrong: syntax, type, size, header, an unknown or impossible value. Status
   * 400, 406, 408, 413, 415 or 422.
   */
  public static final class RequestException extends GatewayException {
    private static final long serialVersionUID = 1L;
    private final String parameter;

    public RequestException(int status, String code, String message) {
      this(status, code, null, message);
    }

    /**
     * @param parameter the member, header or query parameter at fault, or null
     */
    public RequestException(int status, String code, String parameter, String message) {
      super(status, code, message);
      this.parameter = parameter;
    }

    @Override
    public Optional<String> parameter() {
      return Optional.ofNullable(parameter);
    }
  }

  /** No key, or one that nobody was given. Status 401; the answer carries WWW-Authenticate. */
  public static final class AuthenticationException extends GatewayException {
    private static final long serialVersionUID = 1L;

    public AuthenticationException(String code, String message) {
      super(401, code, message);
    }
  }

  /** The key is fine and its user may not do this. Status 403. */
  public static final class ForbiddenException extends GatewayException {
    private static final long serialVersionUID = 1L;

    public ForbiddenException(String code, String message) {
      super(403, code, message);
    }
  }

  /**
   * Nothing is there: no such path, no such job, or a job of someone else (which looks the same).
   * Status 404.
   */
  public static final class NotFoundException extends GatewayException {
    private static final long serialVersionUID = 1L;

    public NotFoundException(String code, String message) {
      super(404, code, message);
    }
  }

  /** The path exists, the method does not. Status 405; the answer carries Allow. */
  public static final class MethodException extends GatewayException {
    private static final long serialVersionUID = 1L;
    private final String allow;

    /**
     * @param allow the value of the Allow header, "GET, HEAD, OPTIONS"
     */
    public MethodException(String method, String allow) {
      super(
          405, "request.method", method + " is not possible here; this path knows " + allow + ".");
      this.allow = allow;
    }

    public String allow() {
      return allow;
    }
  }

  /** The request is fine but the job's state forbids it. Status 409. */
  public static final class ConflictException extends GatewayException {
    private static final long serialVersionUID = 1L;

    public ConflictException(String code, String message) {
      super(409, code, message);
    }
  }

  /** Too much at once: a rate, a number of queued jobs, a number of open streams. Status 429. */
  public static final class LimitException extends GatewayException {
    private static final long serialVersionUID = 1L;
    private final Duration retryAfter;
    private final Duration predictedWait;

    public LimitException(String code, String message, Duration retryAfter) {
      this(code, message, retryAfter, null);
    }

    /**
     * @param predictedWait how long the job might have waited, or null
     */
    public LimitException(
        String code, String message, Duration retryAfter, Duration predictedWait) {
      super(429, code, message);
      this.retryAfter = Objects.requireNonNull(retryAfter);
      this.predictedWait = predictedWait;
    }

    @Override
    public Optional<Duration> predictedWait() {
      return Optional.ofNullable(predictedWait);
    }

    @Override
    public Optional<Duration> retryAfter() {
      return Optional.of(retryAfter);
    }
  }

  /** Ours, and passing: the store is down, or the gateway has no room left. Status 503. */
  public static final class UnavailableException extends GatewayException {
    private static final long serialVersionUID = 1L;
    private final Duration retryAfter;

    public UnavailableException(String code, String message, Duration retryAfter) {
      super(503, code, message);
      this.retryAfter = Objects.requireNonNull(retryAfter);
    }

    @Override
    public Optional<Duration> retryAfter() {
      return Optional.of(retryAfter);
    }
  }

  /**
   * A fault of ours that nobody foresaw. Status 500; the log has the cause under the same request
   * id.
   */
  public static final class InternalException extends GatewayException {
    private static final long serialVersionUID = 1L;

    public InternalException(String requestId) {
      super(
          500,
          "gateway.internal",
          "Something broke on our side. If it happens again, report it with request id "
              + requestId
              + ".");
    }
  }
}

package dev.tintype.queue.ephemera;

import dev.tintype.queue.QueueException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * How to reach Redis 6.2 or newer.
 *
 * @param url {@code redis://host:6379}, {@code rediss://} for TLS, {@code /2} at its end for a
 *     database; without a password
 * @param password never logged
 * @param prefix of all keys and topics, so that platforms may share a server; default {@code
 *     tintype:}
 * @param deadline of every call, default 500 ms: what may be lost is not worth a longer wait
 */
public record RedisConfig(String url, Optional<String> password, String prefix, Duration deadline) {
  public RedisConfig {
    if (!sound(url)) {
      throw new QueueException.Invalid(
          "redis.config",
          "redis.url is such as redis://redis:6379, without a password: that is redis.password.");
    }
    if (deadline.toMillis() < 1) {
      throw new QueueException.Invalid("redis.config", "The deadline is at least 1 ms.");
    }
  }

  /** All else by default. */
  public static RedisConfig of(String url, Optional<String> password) {
    return new RedisConfig(url, password, "tintype:", Duration.ofMillis(500));
  }

  private static boolean sound(String url) {
    try {
      URI uri = URI.create(url);
      return ("redis".equals(uri.getScheme()) || "rediss".equals(uri.getScheme()))
          && uri.getHost() != null
          && uri.getUserInfo() == null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public String toString() {
    return "RedisConfig[" + url + "]";
  }
}

package dev.tintype.gateway.auth;

import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.problem.GatewayException.AuthenticationException;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.AccountStore;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Reads {@code Authorization: Bearer tt_...} and asks the store whose key it is. A verified key is
 * believed for a short time without asking again. Only digests are compared and kept: whoever
 * measures the time of a lookup learns about a digest, from which no key can be computed.
 */
public final class Authenticator {
  private static final Pattern KEY = Pattern.compile("tt_[A-Za-z0-9_-]{16,200}");

  /** Digests remembered, about 300 bytes each. */
  private static final int CACHED_KEYS_MAX = 10_000;

  private record Cached(Account account, long untilMillis) {}

  private final AccountStore accounts;
  private final BlockingCalls calls;
  private final Clock clock;
  private final Duration cacheTime;
  private final Map<String, Cached> cache =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Cached> eldest) {
          return size() > CACHED_KEYS_MAX;
        }
      };

  public Authenticator(
      AccountStore accounts, BlockingCalls calls, Clock clock, Duration cacheTime) {
    this.accounts = accounts;
    this.calls = calls;
    this.clock = clock;
    this.cacheTime = cacheTime;
  }

  /** Fails with {@link AuthenticationException} (auth.missing, auth.malformed, auth.unknown). */
  public Future<Account> account(HttpServerRequest request) {
    List<String> headers = request.headers().getAll(HttpHeaders.AUTHORIZATION);
    if (headers.isEmpty()) {
      return refused(
          "auth.missing",
          "Send your key as Authorization: Bearer tt_...; the first start of the server prints"
              + " one.");
    }
    String header = headers.getFirst();
    if (headers.size() > 1 || !header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return refused(
          "auth.malformed", "Send exactly one Authorization header of the form: Bearer tt_...");
    }
    String key = header.substring(7).strip();
    if (!KEY.matcher(key).matches()) {
      return refused(
          "auth.malformed", "A key starts with tt_ and has only letters, digits, - and _.");
    }
    String digest = Sha256.hex(key.getBytes(StandardCharsets.US_ASCII));
    Account known = cached(digest);
    return known != null ? Future.succeededFuture(known) : calls.run(() -> verify(key, digest));
  }

  private Account verify(String key, String digest) {
    Account account =
        accounts
            .authenticate(key)
            .orElseThrow(
                () ->
                    new AuthenticationException(
                        "auth.unknown",
                        "Nobody has this key, or it was revoked. Check that it was copied whole."));
    synchronized (cache) {
      cache.remove(digest);
      cache.put(digest, new Cached(account, clock.millis() + cacheTime.toMillis()));
    }
    return account;
  }

  private Account cached(String digest) {
    synchronized (cache) {
      Cached hit = cache.get(digest);
      return hit != null && hit.untilMillis() > clock.millis() ? hit.account() : null;
    }
  }

  private static Future<Account> refused(String code, String message) {
    return Future.failedFuture(new AuthenticationException(code, message));
  }
}

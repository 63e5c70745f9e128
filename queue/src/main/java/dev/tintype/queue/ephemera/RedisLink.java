package dev.tintype.queue.ephemera;

import dev.tintype.queue.Causes;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.TlsRefusal;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two connections to Redis, one for commands and one for subscriptions. Each is made at its
 * first use, again after a failed try, and mended by the client once it was made.
 */
final class RedisLink implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);
  private static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.ASCII, ByteArrayCodec.INSTANCE);
  private static final Duration RECONNECT_MAX = Duration.ofSeconds(1);
  private static final long TELL_EVERY_NANOS = Duration.ofSeconds(30).toNanos();

  /** Commands on their way; beyond it a call fails at once. */
  private static final int PENDING_MAX = 10_000;

  /** A password is missing, wrong, or was given where none is set. */
  private static final Pattern LOGIN =
      Pattern.compile("^(NOAUTH|WRONGPASS|ERR invalid password|ERR AUTH)");

  private static final int THREADS = 2;
  private static final long CLOSE_MAX_MS = 2_000;

  private final RedisConfig config;
  private final ClientResources resources;
  private final RedisClient client;
  private CompletableFuture<StatefulRedisConnection<String, byte[]>> commands;
  private CompletableFuture<StatefulRedisPubSubConnection<String, byte[]>> topics;
  private boolean closed;
  private long toldAt = System.nanoTime() - TELL_EVERY_NANOS;

  RedisLink(RedisConfig config) {
    this.config = config;
    this.resources =
        DefaultClientResources.builder()
            .ioThreadPoolSize(THREADS)
            .computationThreadPoolSize(THREADS)
            .reconnectDelay(
                Delay.exponential(Duration.ofMillis(20), RECONNECT_MAX, 2, TimeUnit.MILLISECONDS))
            .build();
    this.client = RedisClient.create(resources, uri(config.deadline()));
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(true)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .replayFilter(command -> true)
            .requestQueueSize(PENDING_MAX)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(
                SocketOptions.builder().connectTimeout(config.deadline()).keepAlive(true).build())
            .timeoutOptions(TimeoutOptions.enabled(config.deadline()))
            .build());
  }

  private static io.lettuce.core.RedisCredentialsProvider credentials(String password) {
    return io.lettuce.core.RedisCredentialsProvider.from(
        () -> io.lettuce.core.RedisCredentials.just(null, password));
  }

  RedisCommands<String, byte[]> commands() {
    CompletableFuture<StatefulRedisConnection<String, byte[]>> connecting;
    synchronized (this) {
      commands =
          again(
              commands,
              () -> client.connectAsync(CODEC, uri(config.deadline())).toCompletableFuture());
      connecting = commands;
    }
    return await(connecting).sync();
  }

  StatefulRedisPubSubConnection<String, byte[]> topics() {
    CompletableFuture<StatefulRedisPubSubConnection<String, byte[]>> connecting;
    synchronized (this) {
      topics =
          again(
              topics,
              () -> client.connectPubSubAsync(CODEC, uri(config.deadline())).toCompletableFuture());
      connecting = topics;
    }
    return await(connecting);
  }

  /**
   * Connects and says who we are, which is all of the client's handshake.
   *
   * @throws QueueException.Refused where Redis answers and does not let us in
   * @throws QueueException.Unavailable where it does not answer in that time
   */
  void login(Duration most) {
    CompletableFuture<StatefulRedisConnection<String, byte[]>> connecting;
    synchronized (this) {
      requireOpen();
      connecting = client.connectAsync(CODEC, uri(most)).toCompletableFuture();
    }
    try {
      connecting.get(most.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Checks.unavailable("Interrupted.", e);
    } catch (ExecutionException | TimeoutException e) {
      throw refusal(e).orElseGet(() -> Checks.unavailable(silent(), e));
    } finally {
      connecting.thenAccept(StatefulRedisConnection::closeAsync);
    }
  }

  /**
   * @param handshakeMax from the connection to its first answers
   */
  private RedisURI uri(Duration handshakeMax) {
    RedisURI uri = RedisURI.create(config.url());
    uri.setTimeout(handshakeMax);
    config.password().ifPresent(password -> uri.setCredentialsProvider(credentials(password)));
    return uri;
  }

  /** The same try while it runs or is good, else a new one. */
  private <T> CompletableFuture<T> again(
      CompletableFuture<T> last, Supplier<CompletableFuture<T>> connect) {
    requireOpen();
    return last == null || last.isCompletedExceptionally() ? connect.get() : last;
  }

  private void requireOpen() {
    if (closed) {
      throw Checks.unavailable("This node is stopping.", null);
    }
  }

  private <T> T await(CompletableFuture<T> connecting) {
    try {
      return connecting.get(config.deadline().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Checks.unavailable("Interrupted.", e);
    } catch (ExecutionException | TimeoutException e) {
      throw away(e);
    }
  }

  /** That Redis answered and does not let us in; empty where it did not answer. */
  Optional<QueueException> refusal(Throwable error) {
    if (TlsRefusal.in(error)) {
      return Optional.of(
          new QueueException.Refused(
              "ephemera.tls",
              "The certificate of Redis at "
                  + config.url()
                  + " is not accepted, or it does not speak TLS: correct redis.url, or what Java"
                  + " trusts.",
              error));
    }
    return Causes.of(error)
        .filter(t -> t instanceof RedisCommandExecutionException)
        .filter(t -> LOGIN.matcher(Causes.message(t)).find())
        .findFirst()
        .<QueueException>map(
            t ->
                new QueueException.Refused(
                    "ephemera.login",
                    "Redis at " + config.url() + " refuses this login: correct redis.password.",
                    error));
  }

  /** The error for the caller; the log hears of it twice a minute at most. */
  QueueException away(Throwable cause) {
    String message = refusal(cause).map(QueueException::getMessage).orElseGet(this::silent);
    synchronized (this) {
      if (!closed && System.nanoTime() - toldAt >= TELL_EVERY_NANOS) {
        toldAt = System.nanoTime();
        LOG.warn("{} Going on without ({})", message, cause.toString());
      }
    }
    return Checks.unavailable(message, cause);
  }

  private String silent() {
    return "Redis at " + config.url() + " does not answer: start it, or correct redis.url.";
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    client.shutdown(0, CLOSE_MAX_MS, TimeUnit.MILLISECONDS);
    resources.shutdown(0, CLOSE_MAX_MS, TimeUnit.MILLISECONDS);
  }
}

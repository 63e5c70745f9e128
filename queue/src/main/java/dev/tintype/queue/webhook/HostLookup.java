package dev.tintype.queue.webhook;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks hosts up within a time. The system's resolver has no deadline of its own and cannot be
 * interrupted, so it runs on threads that may be left behind, of which there are only so many.
 * Thread-safe.
 */
final class HostLookup {
  /** Look-ups under way; more than a round of webhooks, so that some may hang. */
  static final int MOST = 2 * WebhookSender.BATCH_MAX;

  private static final Duration IDLE = Duration.ofSeconds(30);

  /** All addresses of a host, as {@link InetAddress#getAllByName}. */
  interface Resolver {
    InetAddress[] all(String host) throws UnknownHostException;
  }

  private final Resolver resolver;
  private final Duration most;
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          MOST,
          IDLE.toSeconds(),
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().daemon().name("host-lookup-", 0).factory());

  HostLookup(Resolver resolver, Duration most) {
    this.resolver = resolver;
    this.most = most;
  }

  /**
   * The addresses, at least one.
   *
   * @throws UnknownHostException where there is no such host
   * @throws IOException where that is not known in time, or too many look-ups hang
   */
  List<InetAddress> all(String host) throws IOException {
    try {
      Future<InetAddress[]> found = threads.submit(() -> resolver.all(host));
      return List.of(found.get(most.toNanos(), TimeUnit.NANOSECONDS));
    } catch (RejectedExecutionException e) {
      throw new IOException(MOST + " look-ups of hosts are under way", e);
    } catch (TimeoutException e) {
      throw new IOException("its host was not found within " + most.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownHostException unknown) {
        throw unknown;
      }
      throw new IOException("its host could not be looked up", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}

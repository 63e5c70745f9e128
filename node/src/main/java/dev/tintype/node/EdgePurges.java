package dev.tintype.node;

import dev.tintype.edge.http.EdgeRoutes;
import dev.tintype.gateway.admin.PicturesAdmin;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.Subscription;
import dev.tintype.queue.job.Sha256;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells an edge of the pictures that an admin removed: as it is published, and once a minute by
 * what is noted of late, since what is published while this process or the server is away is lost.
 */
final class EdgePurges implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EdgePurges.class);
  private static final Duration LOOK_EVERY = Duration.ofMinutes(1);

  /** Beyond it the edges' look for the original, once in edge.cache.verify_s, has to do. */
  private static final int UNFINISHED_MAX = 10_000;

  private final EdgeRoutes edge;
  private final Ephemera shared;
  private final Thread thread;

  /** Refused here, but left in the shared store, which did not answer. */
  private final Set<String> unfinished = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  /** Said once, not at each try. */
  private boolean away;

  EdgePurges(EdgeRoutes edge, Ephemera shared) {
    this.edge = edge;
    this.shared = shared;
    this.thread = Thread.ofVirtual().name("edge-purges").unstarted(this::run);
  }

  EdgePurges start() {
    thread.start();
    return this;
  }

  private void run() {
    try {
      while (!closed) {
        listen();
        // Only after a failure: the server is given a moment.
        Thread.sleep(Duration.ofSeconds(1));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void listen() throws InterruptedException {
    try (Subscription heard = shared.subscribe(PicturesAdmin.TOPIC)) {
      while (!closed) {
        catchUp();
        away = false;
        long next = System.nanoTime() + LOOK_EVERY.toNanos();
        for (long left = LOOK_EVERY.toNanos(); left > 0; left = next - System.nanoTime()) {
          Optional<byte[]> message = heard.poll(Duration.ofNanos(left));
          if (message.isPresent()) {
            purge(new String(message.get(), StandardCharsets.US_ASCII));
          }
        }
      }
    } catch (QueueException e) {
      if (!closed && !away) {
        away = true;
        LOG.warn("removed pictures are not heard of for now: {}", e.getMessage());
      }
    }
  }

  private void catchUp() {
    for (String sha256 : List.copyOf(unfinished)) {
      purge(sha256);
    }
    for (String key : shared.list(PicturesAdmin.FOLDER).keySet()) {
      String sha256 = key.substring(PicturesAdmin.FOLDER.length());
      if (!edge.purged(sha256)) {
        purge(sha256);
      }
    }
  }

  /** Does not wait: the edge does some at once, and one that its store holds up delays no other. */
  private void purge(String sha256) {
    if (!Sha256.isHex(sha256)) {
      return;
    }
    edge.purge(sha256)
        .whenComplete(
            (done, error) -> {
              if (error == null) {
                unfinished.remove(sha256);
                LOG.info("picture {} was removed", sha256);
                return;
              }
              if (unfinished.size() < UNFINISHED_MAX) {
                unfinished.add(sha256);
              }
              LOG.warn(
                  "picture {} is refused here, but not yet all of it was removed: {}",
                  sha256,
                  error.toString());
            });
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}

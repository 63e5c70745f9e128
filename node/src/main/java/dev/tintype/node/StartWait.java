package dev.tintype.node;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.PostgresConfig;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A role that is started together with its servers, or before them. For its database it waits: it
 * tries again with growing pauses, up to a deadline. Without the others it comes up, as it goes on
 * without them in an outage. What another try would not change (a wrong password, a database that
 * does not exist, a certificate) fails at once, with any of them. An interrupt ends the wait.
 */
final class StartWait {
  private static final Logger LOG = LoggerFactory.getLogger(StartWait.class);

  /** Outages; all other codes mean that somebody has to correct something. */
  private static final Set<String> OUTAGES = Set.of("store.unavailable", "store.timeout");

  private static final Duration PAUSE_FIRST = Duration.ofMillis(250);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(5);
  private static final Duration TELL_EVERY = Duration.ofSeconds(10);
  private static final Duration LOOK_MAX = Duration.ofSeconds(6);
  private static final int CAUSES_MAX = 20;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());

  private final Duration most;
  private final Clock clock;
  private final RandomGenerator random;
  private boolean waited;

  /**
   * @param most how long it waits; zero: one try
   * @param clock for people, who read since when it waits
   * @param random spreads the tries of a fleet that was started at once
   */
  StartWait(Duration most, Clock clock, RandomGenerator random) {
    this.most = most;
    this.clock = clock;
    this.random = random;
  }

  /**
   * Looks whether servers let us in, all at once and for some seconds at most.
   *
   * @param logins each raises {@link QueueException.Refused} where another try would not help
   * @return those of servers that did not answer
   */
  static List<Runnable> look(List<Runnable> logins) {
    List<CompletableFuture<Void>> looks = logins.stream().map(StartWait::look).toList();
    long until = System.nanoTime() + LOOK_MAX.toNanos();
    List<Runnable> away = new ArrayList<>();
    for (int i = 0; i < logins.size(); i++) {
      try {
        looks.get(i).get(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        throw interrupted(e);
      } catch (TimeoutException e) {
        away.add(logins.get(i));
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof QueueException.Unavailable outage)) {
          throw unchecked(e);
        }
        LOG.info("The start goes on without: {} ({})", outage.getMessage(), reason(outage));
        away.add(logins.get(i));
      }
    }
    return away;
  }

  private static CompletableFuture<Void> look(Runnable login) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("start-look")
        .start(
            () -> {
              try {
                login.run();
                result.complete(null);
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  /** True once something was not there at the first try. */
  boolean waited() {
    return waited;
  }

  /** Opens the database as soon as it is there. */
  Database forDatabase(PostgresConfig config) {
    return open(
        "PostgreSQL at " + config.address(),
        "database.url",
        () -> {
          Database.reach(config);
          return Database.open(config);
        });
  }

  /**
   * @param where name and address, without secrets
   * @param setting that says where it is
   * @param opening throws the error of an outage while there is one
   */
  private <T extends AutoCloseable> T open(String where, String setting, Supplier<T> opening) {
    String since = TIME.format(clock.instant());
    long began = System.nanoTime();
    long toldAt = began - TELL_EVERY.toNanos();
    Duration pause = PAUSE_FIRST;
    while (true) {
      try {
        T opened = interruptibly(opening);
        if (waited) {
          LOG.info("{} is there after {} s", where, seconds(began));
        }
        return opened;
      } catch (QueueException.Unavailable e) {
        if (!OUTAGES.contains(e.code()) || most.isZero()) {
          throw e;
        }
        if (System.nanoTime() - began + pause.toNanos() > most.toNanos()) {
          throw late(e, where, setting);
        }
        if (System.nanoTime() - toldAt >= TELL_EVERY.toNanos()) {
          toldAt = System.nanoTime();
          LOG.warn(
              "Waiting for {} since {}: {} s so far, {} s at most ({})",
              where,
              since,
              seconds(began),
              most.toSeconds(),
              reason(e));
        }
      }
      waited = true;
      sleep(pause);
      pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : pause.multipliedBy(2);
    }
  }

  private QueueException late(QueueException e, String where, String setting) {
    return new QueueException.Unavailable(
        e.code(),
        "%s was not there in %d s (%s): start it, or correct %s. The setting start.wait_s is how long a start waits."
            .formatted(where, most.toSeconds(), reason(e), setting),
        e);
  }

  private static long seconds(long began) {
    return (System.nanoTime() - began) / 1_000_000_000;
  }

  /** What happened at the bottom of it; drivers put no secrets there. */
  private static String reason(Throwable error) {
    Throwable last = error;
    for (int i = 0; last.getCause() != null && i < CAUSES_MAX; i++) {
      last = last.getCause();
    }
    return last instanceof IOException ? IoReason.of(last) : last.getMessage();
  }

  /**
   * On a thread of its own: a driver that connects hears no interrupt. What comes late is closed.
   */
  private static <T extends AutoCloseable> T interruptibly(Supplier<T> opening) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        Thread.ofVirtual()
            .name("start-wait")
            .start(
                () -> {
                  try {
                    T opened = opening.get();
                    if (!result.complete(opened)) {
                      opened.close();
                    }
                  } catch (Throwable e) {
                    result.completeExceptionally(e);
                  }
                });
    try {
      return result.get();
    } catch (InterruptedException e) {
      result.cancel(false);
      thread.interrupt();
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw unchecked(e);
    }
  }

  private static RuntimeException unchecked(ExecutionException e) {
    return e.getCause() instanceof RuntimeException known
        ? known
        : new IllegalStateException(e.getCause());
  }

  /** Between half and all of it. */
  private void sleep(Duration pause) {
    long millis = pause.toMillis() / 2;
    try {
      TimeUnit.MILLISECONDS.sleep(millis + random.nextLong(millis));
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static NodeException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new NodeException.Start("node.interrupted", "Interrupted.", e);
  }
}

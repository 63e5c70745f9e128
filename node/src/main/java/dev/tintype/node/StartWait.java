package dev.tintype.node;

import dev.tintype.queue.Causes;
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
import java.util.function.Consumer;
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

  /**
   * What passes without anybody: outages, and a standby that is about to become the primary. Other
   * codes mean that somebody has to correct something.
   */
  private static final Set<String> OUTAGES =
      Set.of("store.unavailable", "store.timeout", "store.read_only");

  private static final Duration PAUSE_FIRST = Duration.ofMillis(250);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(5);
  private static final Duration TELL_EVERY = Duration.ofSeconds(10);

  /** Of each server; tests on busy machines set more. */
  private static final Duration LOOK_MAX =
      Duration.ofSeconds(Integer.getInteger("tintype.start.look_s", 5));

  /** For a look to say itself that its time is over. */
  private static final Duration LOOK_SPARE = Duration.ofSeconds(1);

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
   * A server that is looked at.
   *
   * @param name of its kind, such as {@code Redis}
   * @param look takes as long as it is told, at most, and raises {@link QueueException.Refused}
   *     where another try would not help, {@link QueueException.Unavailable} where one may
   */
  record Login(String name, Consumer<Duration> look) {}

  /**
   * Looks whether servers let us in, all at once and for some seconds at most.
   *
   * @return those of servers that did not answer, which the log names
   */
  static List<Login> look(List<Login> logins) {
    return look(logins, LOOK_MAX);
  }

  static List<Login> look(List<Login> logins, Duration most) {
    List<CompletableFuture<Void>> looks = logins.stream().map(one -> begin(one, most)).toList();
    long until = System.nanoTime() + most.toNanos() + LOOK_SPARE.toNanos();
    List<Login> away = new ArrayList<>();
    for (int i = 0; i < logins.size(); i++) {
      Login login = logins.get(i);
      try {
        looks.get(i).get(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        throw interrupted(e);
      } catch (TimeoutException e) {
        LOG.warn("The start goes on without {}: it took too long", login.name());
        looks.get(i).whenComplete((done, error) -> tellLate(login, error));
        away.add(login);
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof QueueException.Unavailable outage)) {
          throw unchecked(e);
        }
        LOG.warn(
            "The start goes on without {}: {} ({})",
            login.name(),
            outage.getMessage(),
            reason(outage));
        away.add(login);
      }
    }
    return away;
  }

  private static void tellLate(Login login, Throwable error) {
    if (error instanceof QueueException refusal && !(error instanceof QueueException.Unavailable)) {
      LOG.warn("{} answered late: {} {}", login.name(), refusal.code(), refusal.getMessage());
    }
  }

  private static CompletableFuture<Void> begin(Login login, Duration most) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("start-look")
        .start(
            () -> {
              try {
                login.look().accept(most);
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
  <T extends AutoCloseable> T open(String where, String setting, Supplier<T> opening) {
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
    Throwable last = Causes.last(error);
    return last instanceof IOException ? IoReason.of(last) : Causes.message(last);
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
                      close(opened);
                    }
                  } catch (Throwable e) {
                    result.completeExceptionally(e);
                  }
                });
    try {
      return result.get();
    } catch (InterruptedException e) {
      thread.interrupt();
      if (!result.cancel(false)) {
        result.thenAccept(StartWait::close); // It was opened at that very moment.
      }
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw unchecked(e);
    }
  }

  private static void close(AutoCloseable late) {
    try {
      late.close();
    } catch (Exception e) {
      LOG.debug("what came late was not closed", e);
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

package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals over LISTEN and NOTIFY. What many threads signal in the same moment travels as one
 * NOTIFY: {@code instance|1|id,id,..}, where 1 means that there is work. A process knows its own by
 * the instance and drops them.
 */
public final class PostgresSignals implements Signals {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresSignals.class);

  private static final String CHANNEL = "tintype";

  /** 200 ids of 37 characters stay below the 8000 bytes of a payload. */
  private static final int IDS_PER_NOTIFY_MAX = 200;

  /** Ids that wait to be sent; more are dropped, and the others' polls find them. */
  private static final int PENDING_MAX = 20_000;

  private static final int LISTEN_MS = 10_000;
  private static final int RECONNECT_FIRST_MS = 250;
  private static final int RECONNECT_MAX_MS = 5_000;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final Database database;
  private final String instance;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Set<JobId> pending = new LinkedHashSet<>();
  private boolean pendingWork;
  private boolean closed;
  private Connection listening;
  private final Thread sender;
  private final Thread receiver;

  private PostgresSignals(Database database, RandomGenerator random) {
    this.database = database;
    this.instance = HexFormat.of().toHexDigits(random.nextLong());
    this.sender = Thread.ofVirtual().name("tintype-signals-send").unstarted(this::sendLoop);
    this.receiver = Thread.ofVirtual().name("tintype-signals-receive").unstarted(this::receiveLoop);
  }

  /** Starts to send and to hear; the first connection may still be under way when this returns. */
  public static PostgresSignals start(Database database, RandomGenerator random) {
    PostgresSignals signals = new PostgresSignals(database, random);
    signals.sender.start();
    signals.receiver.start();
    return signals;
  }

  @Override
  public void listen(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void jobChanged(JobId id) {
    listeners.forEach(listener -> listener.jobsChanged(List.of(id)));
    lock.lock();
    try {
      if (pending.size() < PENDING_MAX) {
        pending.add(id);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void workReady() {
    listeners.forEach(Listener::workReady);
    lock.lock();
    try {
      pendingWork = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void sendLoop() {
    try {
      while (true) {
        String payload = nextPayload();
        if (payload.isEmpty()) {
          return;
        }
        send(payload);
      }
    } catch (InterruptedException e) {
      LOG.debug("sender ends");
    }
  }

  /** What has gathered, waiting for something to gather; empty when closed. */
  private String nextPayload() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!closed && pending.isEmpty() && !pendingWork) {
        changed.await();
      }
      if (closed) {
        return "";
      }
      List<JobId> ids = new ArrayList<>(pending.stream().limit(IDS_PER_NOTIFY_MAX).toList());
      ids.forEach(pending::remove);
      String work = pendingWork ? "1" : "0";
      pendingWork = false;
      return instance
          + "|"
          + work
          + "|"
          + ids.stream().map(JobId::value).collect(Collectors.joining(","));
    } finally {
      lock.unlock();
    }
  }

  private void send(String payload) {
    try {
      database.call(
          connection ->
              Sql.query(
                  connection,
                  row -> true,
                  // A hint need not be on the disk.
                  "SELECT set_config('synchronous_commit', 'off', true), pg_notify('"
                      + CHANNEL
                      + "', ?)",
                  payload));
    } catch (QueueException e) {
      LOG.debug("a signal was not sent: {}", e.code());
    }
  }

  private void receiveLoop() {
    int waitMs = RECONNECT_FIRST_MS;
    while (!isClosed()) {
      try (Connection connection = database.dedicated()) {
        if (!publish(connection)) {
          return;
        }
        try (Statement statement = connection.createStatement()) {
          statement.execute("LISTEN " + CHANNEL);
        }
        listeners.forEach(Listener::reset);
        waitMs = RECONNECT_FIRST_MS;
        receive(connection);
      } catch (SQLException e) {
        LOG.debug("not listening: {}", e.getMessage());
      }
      if (!pause(waitMs)) {
        return;
      }
      waitMs = Math.min(RECONNECT_MAX_MS, waitMs * 2);
    }
  }

  private void receive(Connection connection) throws SQLException {
    PGConnection postgres = connection.unwrap(PGConnection.class);
    while (!isClosed()) {
      PGNotification[] notifications = postgres.getNotifications(LISTEN_MS);
      if (notifications == null || notifications.length == 0) {
        // Silence may be a server that is gone without a word.
        if (!connection.isValid(LISTEN_MS / 1000)) {
          throw new SQLException("the connection is dead");
        }
      } else {
        Arrays.stream(notifications).map(PGNotification::getParameter).forEach(this::heard);
      }
    }
  }

  private void heard(String payload) {
    String[] parts = payload.split("\\|", 3);
    if (parts.length != 3 || parts[0].equals(instance)) {
      return;
    }
    Collection<JobId> ids =
        parts[2].isEmpty()
            ? List.of()
            : Arrays.stream(parts[2].split(",")).map(JobId::new).toList();
    for (Listener listener : listeners) {
      if (!ids.isEmpty()) {
        listener.jobsChanged(ids);
      }
      if (parts[1].equals("1")) {
        listener.workReady();
      }
    }
  }

  /** Lets {@link #close()} reach the connection; false if it came first. */
  private boolean publish(Connection connection) {
    lock.lock();
    try {
      listening = connection;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Waits before the next try; false when closed. */
  private boolean pause(int waitMs) {
    long leftNanos = TimeUnit.MILLISECONDS.toNanos(waitMs);
    lock.lock();
    try {
      while (!closed && leftNanos > 0) {
        leftNanos = changed.awaitNanos(leftNanos);
      }
      return !closed;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    Connection connection;
    lock.lock();
    try {
      closed = true;
      connection = listening;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (connection != null) {
        // close() would wait for the read that is under way; abort() ends it.
        connection.abort(Runnable::run);
      }
      sender.join(CLOSE_TIMEOUT);
      receiver.join(CLOSE_TIMEOUT);
    } catch (SQLException e) {
      LOG.debug("abort: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

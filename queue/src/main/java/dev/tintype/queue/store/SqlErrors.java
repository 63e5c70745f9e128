package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.TlsRefusal;
import java.sql.SQLException;
import java.util.Set;

/** Turns SQLSTATEs (PostgreSQL manual, appendix A) into errors with a code and advice. */
final class SqlErrors {
  private static final Set<String> CONFLICTS = Set.of("40001", "40P01");

  /**
   * The driver's own: the server asks for a password and there is none, or does not speak TLS where
   * the URL insists on it.
   */
  private static final String REJECTED = "08004";

  /** In the driver's message in every language, and the only trace of a name that does not fit. */
  private static final String OTHER_HOST = "HostnameVerifier";

  private SqlErrors() {}

  /**
   * True for serialization failures and deadlocks: the transaction did nothing and may run again.
   */
  static boolean repeatable(SQLException e) {
    return CONFLICTS.contains(state(e));
  }

  /**
   * True where the connection broke, so that nobody knows whether a commit that was under way has
   * happened.
   */
  static boolean inDoubt(SQLException e) {
    String state = state(e);
    return state.startsWith("08") || state.startsWith("57P");
  }

  /** True where another transaction held a lock for too long; nothing was done. */
  static boolean blocked(SQLException e) {
    return state(e).equals("55P03");
  }

  static QueueException translate(SQLException e) {
    String state = state(e);
    if (state.equals("53100")) {
      return unavailable(
          "store.full",
          "The database's disk is full; free some space on it. Nothing was accepted.",
          e);
    }
    if (state.equals("25006")) {
      return unavailable(
          "store.read_only", "The database is read-only (a standby?); point to its primary.", e);
    }
    if (state.equals("57014") || state.equals("55P03") || CONFLICTS.contains(state)) {
      return unavailable(
          "store.timeout", "The database is too busy to answer in time; try again.", e);
    }
    if (state.startsWith("28") || state.equals("3D000")) {
      return new QueueException.Refused(
          "store.login",
          "The database refuses this user, password or database name; check the configuration.",
          e);
    }
    if (tlsRefused(e)) {
      return new QueueException.Refused(
          "store.tls",
          "The database's certificate, or ours, is not accepted ("
              + driver(e).getMessage()
              + "); correct ssl* in database.url, or the files that it names.",
          e);
    }
    if (state.equals(REJECTED)) {
      return new QueueException.Refused(
          "store.login",
          "The database is not used: "
              + driver(e).getMessage()
              + " Check database.url and database.password.",
          e);
    }
    if (inDoubt(e) || state.startsWith("53") || e instanceof java.sql.SQLTransientException) {
      return unavailable(
          "store.unavailable", "The database cannot be reached; try again in some seconds.", e);
    }
    if (state.startsWith("58") || state.startsWith("XX")) {
      return unavailable(
          "store.io", "The database cannot read or write its files; look into its log.", e);
    }
    return new QueueException.Broken(
        "store.sql",
        "The database refused a statement (SQLSTATE "
            + state
            + "); this is a defect, please report it.",
        e);
  }

  private static QueueException unavailable(String code, String message, SQLException e) {
    return new QueueException.Unavailable(code, message, e);
  }

  /** Only while connecting; the state is that of any broken connection. */
  private static boolean tlsRefused(SQLException e) {
    return inDoubt(e)
        && (TlsRefusal.in(e) || String.valueOf(driver(e).getMessage()).contains(OTHER_HOST));
  }

  private static String state(SQLException e) {
    String state = driver(e).getSQLState();
    return state == null ? "" : state;
  }

  /** HikariCP wraps the driver's error in its own when no connection could be had. */
  private static SQLException driver(SQLException e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof SQLException sql && sql.getSQLState() != null) {
        return sql;
      }
    }
    return e;
  }
}

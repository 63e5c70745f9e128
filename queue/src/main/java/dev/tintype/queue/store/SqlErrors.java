package dev.tintype.queue.store;

import dev.tintype.queue.Causes;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.TlsRefusal;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

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

  /** Of the driver or the server: an option of the URL has a value that it cannot have. */
  private static final String PARAMETER = "22023";

  /** Ways not to be let in. */
  private enum Refusal {
    LOGIN(
        "store.login",
        "The database refuses this user, password or database name",
        "check the configuration."),
    TLS(
        "store.tls",
        "The database's certificate, or ours, is not accepted",
        "correct ssl* in database.url, or the files that it names."),
    REJECTED(
        "store.login", "The database is not used", "check database.url and database.password.");

    private final String code;
    private final String what;
    private final String advice;

    Refusal(String code, String what, String advice) {
      this.code = code;
      this.what = what;
      this.advice = advice;
    }
  }

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

  /**
   * Of a start's connection. Another try would not help where the server does not let us in, nor
   * where the driver does not take its options.
   */
  static QueueException whileConnecting(SQLException e) {
    Optional<Refusal> refusal = refusal(e);
    if (refusal.isPresent()) {
      Refusal found = refusal.get();
      return new QueueException.Refused(
          found.code, found.what + " (" + message(e) + "); " + found.advice, e);
    }
    if (state(e).equals(PARAMETER)) {
      return new QueueException.Refused(
          "store.config",
          "An option of the database's URL is not taken (" + message(e) + "); correct it.",
          e);
    }
    return translate(e);
  }

  /** Whether the server does not let us in. */
  static boolean refused(SQLException e) {
    return refusal(e).isPresent();
  }

  /** What the driver says, below what the pool does; for the log and for who starts us. */
  static String message(SQLException e) {
    return Causes.message(states(e).reduce(e, (above, below) -> below));
  }

  private static Optional<Refusal> refusal(SQLException e) {
    String state = state(e);
    if (state.startsWith("28") || state.equals("3D000")) {
      return Optional.of(Refusal.LOGIN);
    }
    if (tlsRefused(e)) {
      return Optional.of(Refusal.TLS);
    }
    return state.equals(REJECTED) ? Optional.of(Refusal.REJECTED) : Optional.empty();
  }

  /**
   * Of a program that runs. One that is not let in any more (a password or a certificate that was
   * changed) goes on as in an outage, and its users read no more than that.
   */
  static QueueException translate(SQLException e) {
    String state = state(e);
    Optional<Refusal> refusal = refusal(e);
    if (refusal.isPresent()) {
      return unavailable(
          refusal.get().code,
          "The database does not let this server in any more; its log says why. Try again later.",
          e);
    }
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

  /** The state is that of any broken connection. */
  private static boolean tlsRefused(SQLException e) {
    return inDoubt(e) && (TlsRefusal.in(e) || message(e).contains(OTHER_HOST));
  }

  private static String state(SQLException e) {
    String state = driver(e).getSQLState();
    return state == null ? "" : state;
  }

  /** HikariCP wraps the driver's error in its own when no connection could be had. */
  private static SQLException driver(SQLException e) {
    return states(e).findFirst().orElse(e);
  }

  private static Stream<SQLException> states(SQLException e) {
    return Causes.of(e)
        .filter(t -> t instanceof SQLException sql && sql.getSQLState() != null)
        .map(SQLException.class::cast);
  }
}

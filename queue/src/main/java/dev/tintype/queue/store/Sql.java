package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** A statement with its arguments bound in order, closed after use. */
final class Sql {
  private Sql() {}

  /** Maps the present row. */
  @FunctionalInterface
  interface RowMapper<T> {
    T map(ResultSet row) throws SQLException;
  }

  static <T> List<T> query(
      Connection connection, RowMapper<T> mapper, String sql, Object... arguments)
      throws SQLException {
    try (PreparedStatement statement = bind(connection, sql, arguments);
        ResultSet rows = statement.executeQuery()) {
      return all(rows, mapper);
    }
  }

  static <T> Optional<T> first(
      Connection connection, RowMapper<T> mapper, String sql, Object... arguments)
      throws SQLException {
    return query(connection, mapper, sql, arguments).stream().findFirst();
  }

  /**
   * Several statements, divided by semicolons, in one round trip. Outside of a transaction they are
   * one (PostgreSQL manual, 54.2.3); each sees what was committed until it began.
   *
   * @return the rows of the last one, which must be one that gives rows
   */
  static <T> List<T> lastOf(
      Connection connection, RowMapper<T> mapper, String statements, Object... arguments)
      throws SQLException {
    try (PreparedStatement statement = bind(connection, statements, arguments)) {
      ResultSet last = null;
      boolean rows = statement.execute();
      while (rows || statement.getUpdateCount() >= 0) {
        last = rows ? statement.getResultSet() : last;
        rows = statement.getMoreResults(Statement.KEEP_CURRENT_RESULT);
      }
      return all(last, mapper);
    }
  }

  private static <T> List<T> all(ResultSet rows, RowMapper<T> mapper) throws SQLException {
    List<T> result = new ArrayList<>();
    while (rows.next()) {
      result.add(mapper.map(rows));
    }
    return result;
  }

  static int update(Connection connection, String sql, Object... arguments) throws SQLException {
    try (PreparedStatement statement = bind(connection, sql, arguments)) {
      return statement.executeUpdate();
    }
  }

  private static PreparedStatement bind(Connection connection, String sql, Object... arguments)
      throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    try {
      for (int i = 0; i < arguments.length; i++) {
        bindOne(statement, i + 1, arguments[i]);
      }
      return statement;
    } catch (SQLException | RuntimeException e) {
      statement.close();
      throw e;
    }
  }

  private static void bindOne(PreparedStatement statement, int index, Object argument)
      throws SQLException {
    switch (argument) {
      case JobId id -> statement.setObject(index, id.uuid());
      case Duration duration -> statement.setLong(index, duration.toMillis());
      case Optional<?> optional when optional.isEmpty() -> statement.setObject(index, null);
      case Optional<?> optional -> bindOne(statement, index, optional.get());
      case String text -> statement.setString(index, text);
      case Array array -> statement.setArray(index, array);
      default -> statement.setObject(index, argument);
    }
  }

  static Array uuids(Connection connection, Collection<JobId> ids) throws SQLException {
    return connection.createArrayOf("uuid", ids.stream().map(JobId::uuid).toArray());
  }

  static Array texts(Connection connection, Collection<String> texts) throws SQLException {
    return connection.createArrayOf("text", texts.toArray());
  }

  static Array longs(Connection connection, Collection<Long> longs) throws SQLException {
    return connection.createArrayOf("bigint", longs.toArray());
  }

  static JobId id(ResultSet row, String column) throws SQLException {
    return JobId.of(row.getObject(column, UUID.class));
  }

  static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  static Optional<Instant> optionalInstant(ResultSet row, String column) throws SQLException {
    return Optional.ofNullable(row.getObject(column, OffsetDateTime.class))
        .map(OffsetDateTime::toInstant);
  }
}

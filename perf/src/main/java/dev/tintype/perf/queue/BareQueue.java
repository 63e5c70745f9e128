package dev.tintype.perf.queue;

import dev.tintype.queue.store.Database;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;

/**
 * What a queue on PostgreSQL costs at least: one INSERT a job, and one UPDATE with SKIP LOCKED to
 * take it. No event, no key, no limit, no fence; a lost answer doubles the job.
 */
final class BareQueue {
  private static final int CONNECTIONS_MAX = 200;

  private final Database database;

  BareQueue(Database database) {
    this.database = database;
    database.call(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(
                "CREATE TABLE bare (id uuid PRIMARY KEY, user_id text NOT NULL, state text NOT"
                    + " NULL, spec text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());"
                    + " CREATE INDEX bare_ready ON bare (created_at) WHERE state = 'queued'");
          }
        });
  }

  static int connectionsMax() {
    return CONNECTIONS_MAX;
  }

  Load insert(int clients, Duration time, String spec) throws InterruptedException {
    return Load.run(
        clients,
        time,
        client ->
            number ->
                database.call(
                    connection -> {
                      try (PreparedStatement statement =
                          connection.prepareStatement(
                              "INSERT INTO bare (id, user_id, state, spec) VALUES (?, ?, 'queued',"
                                  + " ?)")) {
                        statement.setObject(1, UUID.randomUUID());
                        statement.setString(2, "user-" + client);
                        statement.setString(3, spec);
                        return statement.executeUpdate();
                      }
                    }));
  }

  Load take(int clients, Duration time) throws InterruptedException {
    return Load.run(
        clients,
        time,
        client ->
            number ->
                database.call(
                    connection -> {
                      try (PreparedStatement statement =
                              connection.prepareStatement(
                                  "UPDATE bare SET state = 'running' WHERE id = (SELECT id FROM"
                                      + " bare WHERE state = 'queued' ORDER BY created_at FOR"
                                      + " UPDATE SKIP LOCKED LIMIT 1) RETURNING id");
                          ResultSet rows = statement.executeQuery()) {
                        return rows.next();
                      }
                    }));
  }
}

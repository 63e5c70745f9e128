package dev.tintype.node.http;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Closes connections that cost a place and bring nothing: heads that never end (slowloris), idle
 * ones, answers that are not taken. The idle time-out of the server does not see these, since a
 * byte now and then is enough for it. Bodies have deadlines where they are read.
 *
 * <p>One timer a connection, not one a request: each time, the connection must have brought a
 * request since the last time or have an answer under way.
 */
public final class ConnectionGuard {
  private static final long NANOS_PER_S = 1_000_000_000;

  private final Vertx vertx;
  private final HttpLimits limits;
  private final Map<HttpConnection, Watched> open = new ConcurrentHashMap<>();

  public ConnectionGuard(Vertx vertx, HttpLimits limits) {
    this.vertx = vertx;
    this.limits = limits;
  }

  /** Watches the connections of the server, which must not listen yet. */
  public Handler<HttpServerRequest> watch(HttpServer server, Handler<HttpServerRequest> handler) {
    server.connectionHandler(this::opened);
    return request -> {
      Watched watched = open.get(request.connection());
      if (watched != null) {
        watched.asked(request.response());
      }
      handler.handle(request);
    };
  }

  /** Connections that are open now. */
  public int connections() {
    return open.size();
  }

  private void opened(HttpConnection connection) {
    if (open.size() >= limits.connectionsMax()) {
      connection.close();
      return;
    }
    Watched watched = new Watched(connection);
    open.put(connection, watched);
    connection.closeHandler(closed -> watched.closed());
    watched.lookAfter(limits.firstRequest());
  }

  /** An answer that is not complete, and when its request came. */
  private record Answer(HttpServerResponse response, long sinceNanos) {
    boolean stream() {
      String type = response.headers().get(HttpHeaders.CONTENT_TYPE);
      return type != null && type.startsWith("text/event-stream");
    }

    /** How long a client at the least rate takes for what was written. */
    long transferNanos() {
      return response.bytesWritten() * NANOS_PER_S / HttpLimits.ANSWER_BYTES_PER_S_MIN;
    }
  }

  /** One connection; touched by its own event loop alone. */
  private final class Watched {
    private final HttpConnection connection;
    private final Deque<Answer> answers = new ArrayDeque<>();

    /** System.nanoTime() until which a slow client may still be taking complete answers. */
    private long takingUntilNanos = System.nanoTime();

    private boolean asked;
    private long timer;

    Watched(HttpConnection connection) {
      this.connection = connection;
    }

    void asked(HttpServerResponse response) {
      asked = true;
      prune();
      answers.add(new Answer(response, System.nanoTime()));
    }

    private void prune() {
      for (Iterator<Answer> each = answers.iterator(); each.hasNext(); ) {
        Answer answer = each.next();
        if (answer.response().ended() || answer.response().closed()) {
          each.remove();
          // Answers of one connection share its line, so their times add up.
          long from =
              answer.sinceNanos() - takingUntilNanos > 0 ? answer.sinceNanos() : takingUntilNanos;
          takingUntilNanos = from + answer.transferNanos();
        }
      }
    }

    void lookAfter(Duration time) {
      timer = vertx.setTimer(time.toMillis(), id -> look());
    }

    private void look() {
      if (asked || underWay(System.nanoTime())) {
        asked = false;
        lookAfter(limits.nextRequest());
      } else {
        connection.close();
      }
    }

    private boolean underWay(long now) {
      prune();
      return takingUntilNanos - now > 0
          || answers.stream()
              .anyMatch(
                  answer ->
                      answer.stream()
                          || now - answer.sinceNanos()
                              < limits.answer().toNanos() + answer.transferNanos());
    }

    void closed() {
      vertx.cancelTimer(timer);
      open.remove(connection);
    }
  }
}

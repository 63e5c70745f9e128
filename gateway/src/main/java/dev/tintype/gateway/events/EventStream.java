package dev.tintype.gateway.events;

import dev.tintype.gateway.GatewayConfig;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.HangUp;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.jobs.JobJson;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.store.EventFeed;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client that follows one job. Every piece of output must be taken by the socket before the
 * next one is fetched: that is the whole buffer. A client that leaves a piece lying longer than the
 * configured time is dropped with code stream.slow_client.
 */
final class EventStream {
  private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);

  /** How long clients wait before they reconnect. */
  private static final Duration RECONNECT = Duration.ofSeconds(2);

  /**
   * Output of one write; a batch of many small events goes out in few packets, a preview goes
   * alone.
   */
  private static final int WRITE_CHARACTERS_MAX = 32 * 1024;

  /** Time between the last words to a slow client and the end of its connection. */
  private static final long FAREWELL_MS = 1_000;

  private final GatewayConfig config;
  private final GatewayParts parts;
  private final JobJson json;
  private final Context eventLoop;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final Job job;
  private final long after;
  private final Consumer<EventStream> onEnd;
  private final CompletableFuture<Void> hungUp = new CompletableFuture<>();
  private final Promise<Reply> started = Promise.promise();
  private volatile EventFeed feed;
  private volatile boolean closed;

  EventStream(
      GatewayConfig config,
      GatewayParts parts,
      JobJson json,
      Context eventLoop,
      HttpServerRequest request,
      Job job,
      long after,
      Consumer<EventStream> onEnd) {
    this.config = config;
    this.parts = parts;
    this.json = json;
    this.eventLoop = eventLoop;
    this.request = request;
    this.response = request.response();
    this.job = job;
    this.after = after;
    this.onEnd = onEnd;
  }

  /**
   * On the event loop. The future fails when the hub refuses another follower; then nothing was
   * written.
   */
  Future<Reply> start() {
    response.closeHandler(gone -> close());
    response.exceptionHandler(broken -> close());
    Thread.ofVirtual().name("gateway-stream-" + job.id()).start(this::run);
    return started.future();
  }

  private void begin() {
    response
        .setChunked(true)
        .putHeader("Content-Type", SseFormat.CONTENT_TYPE)
        // Proxies that buffer (nginx) would hold events back.
        .putHeader("X-Accel-Buffering", "no");
    started.complete(new Reply.Taken());
  }

  /** Hangs up; from any thread. */
  void close() {
    closed = true;
    hungUp.complete(null);
    EventFeed open = feed;
    if (open != null) {
      open.close();
    }
  }

  private void run() {
    try (EventFeed opened = parts.events().follow(job.id(), after)) {
      feed = opened;
      if (closed) {
        return;
      }
      eventLoop.runOnContext(now -> begin());
      write(SseFormat.retry(RECONNECT));
      pump(opened);
      end("");
    } catch (SlowClientException slow) {
      LOG.info("stream of job {} dropped: stream.slow_client", job.id());
      end(
          SseFormat.error(
              "stream.slow_client", "You read too slowly. Reconnect with Last-Event-ID."));
      parts.vertx().setTimer(FAREWELL_MS, id -> HangUp.afterAnswer(request));
    } catch (InterruptedException e) {
      end("");
    } catch (QueueException e) {
      refuse(e, e.code(), e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("stream of job {} failed", job.id(), e);
      refuse(e, "gateway.internal", "Something broke on our side. Reconnect with Last-Event-ID.");
    } finally {
      onEnd.accept(this);
    }
  }

  private void pump(EventFeed events) throws InterruptedException {
    long deadline = System.nanoTime() + config.streams().time().toNanos();
    while (!closed && System.nanoTime() < deadline) {
      List<JobEvent> batch = events.next(config.streams().heartbeat());
      if (batch.isEmpty()) {
        if (events.closed()) {
          return;
        }
        write(SseFormat.HEARTBEAT);
      } else if (writeBatch(batch)) {
        return;
      }
    }
  }

  /** True after the job's last event. */
  private boolean writeBatch(List<JobEvent> batch) throws InterruptedException {
    StringBuilder out = new StringBuilder();
    boolean last = false;
    for (JobEvent event : batch) {
      out.append(SseFormat.event(event, images(event), job.tier(), json));
      // A dead job may have been given another life: only what ends the log as we know it ends the
      // stream.
      last = event.type().terminal() && event.seq() >= job.lastSeq();
      if (out.length() >= WRITE_CHARACTERS_MAX || last) {
        write(out.toString());
        out.setLength(0);
      }
      if (last) {
        return true;
      }
    }
    if (!out.isEmpty()) {
      write(out.toString());
    }
    return false;
  }

  private List<ImageRecord> images(JobEvent event) {
    return event.type() == EventType.SUCCEEDED
        ? parts.jobs().get(job.id()).map(Job::images).orElse(List.of())
        : List.of();
  }

  /** Returns once the socket has taken the text, or the client is gone. */
  private void write(String text) throws InterruptedException {
    CompletableFuture<Void> taken = new CompletableFuture<>();
    eventLoop.runOnContext(
        now -> {
          if (response.ended() || response.closed()) {
            close();
          } else {
            response
                .write(text)
                .onComplete(
                    done -> {
                      if (done.failed()) {
                        close();
                      }
                      taken.complete(null);
                    });
          }
        });
    try {
      CompletableFuture.anyOf(taken, hungUp)
          .get(config.streams().slowClientTime().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new SlowClientException();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Before the head is written the client gets a problem, after it an error event. */
  private void refuse(RuntimeException cause, String code, String message) {
    LOG.warn("stream of job {} ended: {}", job.id(), code);
    eventLoop.runOnContext(
        now -> {
          if (!started.tryFail(cause)) {
            finish(SseFormat.error(code, message));
          }
        });
  }

  private void end(String lastWords) {
    eventLoop.runOnContext(now -> finish(lastWords));
  }

  private void finish(String lastWords) {
    if (!response.ended() && !response.closed()) {
      response.end(lastWords);
    }
  }

  /** The client left a piece of output lying for too long. */
  private static final class SlowClientException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}

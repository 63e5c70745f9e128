package dev.tintype.node.http;

import dev.tintype.node.NodeException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the files of a certificate again, every minute, and hands a new one to the server; open
 * connections keep the one that they began with. A broken one is told once, and the old one stays.
 */
public final class CertificateWatch implements AutoCloseable {
  /** How late a renewed certificate may be seen. */
  public static final Duration EVERY = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);

  private final Vertx vertx;
  private final TlsConfig config;
  private final HttpServer server;
  private final long timer;
  private Certificate current;
  private String lastComplaint = "";

  /** Starts watching. */
  public CertificateWatch(Vertx vertx, TlsConfig config, HttpServer server, Certificate current) {
    this.vertx = vertx;
    this.config = config;
    this.server = server;
    this.current = current;
    this.timer = vertx.setPeriodic(EVERY.toMillis(), id -> look());
  }

  /** Looks now; true where another certificate is used from here on. */
  public Future<Boolean> look() {
    Callable<Certificate> reading = () -> Certificate.read(config);
    return vertx
        .executeBlocking(reading)
        .compose(this::use)
        .recover(
            trouble -> {
              complain(trouble);
              return Future.succeededFuture(false);
            });
  }

  private synchronized Future<Boolean> use(Certificate found) {
    lastComplaint = "";
    if (found.same(current)) {
      return Future.succeededFuture(false);
    }
    return server
        .updateSSLOptions(HttpLimits.ssl(found))
        .map(
            done -> {
              keep(found);
              return true;
            });
  }

  private synchronized void keep(Certificate found) {
    current = found;
    LOG.info("the certificate in {} is used now; valid until {}", config.cert(), found.notAfter());
  }

  private synchronized void complain(Throwable trouble) {
    String what =
        trouble instanceof NodeException known
            ? known.code() + " " + known.getMessage()
            : Objects.toString(trouble);
    if (!what.equals(lastComplaint)) {
      lastComplaint = what;
      LOG.warn("the certificate stays the old one: {}", what);
    }
  }

  @Override
  public void close() {
    vertx.cancelTimer(timer);
  }
}

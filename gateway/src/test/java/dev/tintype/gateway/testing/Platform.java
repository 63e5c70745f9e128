package dev.tintype.gateway.testing;

import dev.tintype.gateway.Gateway;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.ImageLinks;
import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.fleet.EphemeraFleetView;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.relay.CostModel;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.LiveEventHub;
import dev.tintype.queue.store.PostgresAccountAdmin;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.PostgresUploadStore;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.webhook.WebhookPolicy;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Statement;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A gateway on a port of its own, over a real PostgreSQL. The tests of one JVM share one; each
 * makes its own user.
 */
public final class Platform implements AutoCloseable {
  /** URLs in the shape of the edge's; nobody serves them here. */
  public static final ImageLinks LINKS =
      (sha256, width, height, tier) ->
          new ImageLinks.Urls(
              "/i/s/o/" + sha256 + ".png",
              "/i/s/o/" + sha256 + ".webp",
              "/i/s/o/" + sha256 + ".avif",
              "/i/s/o/" + sha256 + ".jpeg",
              "/i/s/w:256/" + sha256 + ".auto");

  private static final AtomicInteger USERS = new AtomicInteger();
  private static Platform shared;

  private final Path folder;
  private final EmbeddedPostgres server;
  private final Database database;
  private final PostgresSignals signals;
  private final LiveEventHub hub;
  private final Vertx vertx = Vertx.vertx();
  public final PostgresAccountStore accounts;
  public final PostgresJobStore jobs;
  public final PostgresUploadStore uploads;
  public final BlobStore blobs;

  /** What the other parts of the process count, as if there were some. */
  public final List<ProcessMetric> metrics = new CopyOnWriteArrayList<>();

  /** Where a test lets workers appear. */
  public final Ephemera fleet = new InProcessEphemera(Clock.systemUTC());

  private Platform() {
    try {
      folder = Files.createTempDirectory("tintype-gateway-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    SecureRandom random = new SecureRandom();
    server = EmbeddedPostgres.start(folder.resolve("pg"));
    database = Database.open(server.config());
    signals = PostgresSignals.start(database, random);
    accounts = new PostgresAccountStore(database, random);
    jobs = new PostgresJobStore(database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), random);
    uploads = new PostgresUploadStore(database);
    blobs = new DirectoryBlobStore(folder.resolve("blobs"));
    hub = LiveEventHub.start(jobs, signals);
  }

  /** The one that all tests share, closed when the JVM ends. */
  public static synchronized Platform shared() {
    if (shared == null) {
      shared = new Platform();
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
    }
    return shared;
  }

  /** One for a test that breaks it. */
  public static Platform own() {
    return new Platform();
  }

  /** What a gateway stands on, with that store of jobs. */
  public GatewayParts parts(JobStore store) {
    return new GatewayParts(
        vertx,
        store,
        accounts,
        new PostgresAccountAdmin(database),
        uploads,
        blobs,
        hub,
        Models.CATALOG,
        LINKS,
        CostModel.linear(23),
        new InProcessEphemera(Clock.systemUTC()),
        new EphemeraFleetView(fleet, true, Clock.systemUTC()),
        ScalePolicy.DEFAULT,
        new WebhookPolicy(true, false),
        metrics,
        Clock.systemUTC(),
        new SecureRandom());
  }

  /** Gives a user so many uploads, whose bytes nobody has. */
  public void fillUploads(User user, int count) {
    update(
        "INSERT INTO uploads (user_id, sha256, media_type, width, height, bytes, uploaded_at)"
            + " SELECT '"
            + user.id()
            + "', lpad(to_hex(n), 64, '0'), 'image/png', 1, 1, 1, now() FROM generate_series(1, "
            + count
            + ") n");
  }

  /** As the sweep does with old ones. */
  public void sweepUploads(User user) {
    update("DELETE FROM uploads WHERE user_id = '" + user.id() + "'");
  }

  private void update(String sql) {
    database.call(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
          }
        });
  }

  /** A gateway on a free port. */
  public Server serve(GatewayConfig config) {
    return new Server(config);
  }

  /** A new user of that tier with a key. */
  public User user(String tier) {
    String id = "user-" + USERS.incrementAndGet();
    accounts.createUser(id, tier, false);
    return new User(id, accounts.createKey(id, "test"));
  }

  /** A new admin with a key. */
  public User admin() {
    String id = "admin-" + USERS.incrementAndGet();
    accounts.createUser(id, "pro", true);
    return new User(id, accounts.createKey(id, "test"));
  }

  /** Makes every transaction of the server read-only, as a standby's are, or writable again. */
  public void readOnly(boolean on) {
    database.call(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute(
                on
                    ? "ALTER SYSTEM SET default_transaction_read_only = on"
                    : "ALTER SYSTEM RESET default_transaction_read_only");
            statement.execute("SELECT pg_reload_conf()");
            return true;
          }
        });
  }

  /** Ends the database server under the feet of everybody. */
  public void stopDatabase() {
    server.close();
  }

  /** Who asks. */
  public record User(String id, String key) {}

  /** A gateway that listens. */
  public final class Server implements AutoCloseable {
    public final Gateway gateway;
    public final int port;
    private final HttpServer http;

    private Server(GatewayConfig config) {
      gateway = new Gateway(config, parts(jobs));
      Router router = Router.router(vertx);
      // Somebody else's room beside ours, as the edge will be.
      router.get("/i/*").handler(context -> context.response().end("picture"));
      gateway.mount(router);
      http =
          vertx
              .createHttpServer(new HttpServerOptions().setPort(0).setHost("127.0.0.1"))
              .invalidRequestHandler(gateway::refuseUnreadable)
              .requestHandler(router);
      try {
        http.listen().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      port = http.actualPort();
    }

    public Client client(User user) {
      return new Client(port, user.key());
    }

    @Override
    public void close() {
      gateway.close();
      http.close().toCompletionStage().toCompletableFuture().join();
    }
  }

  @Override
  public void close() {
    hub.close();
    signals.close();
    database.close();
    server.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
    try (Stream<Path> paths = Files.walk(folder)) {
      paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

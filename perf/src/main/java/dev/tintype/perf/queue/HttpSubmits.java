package dev.tintype.perf.queue;

import dev.tintype.gateway.Gateway;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.ImageLinks;
import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.prompt.Size;
import dev.tintype.node.NodeException;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.relay.CostModel;
import dev.tintype.queue.store.AccountStore;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.LiveEventHub;
import dev.tintype.queue.store.PostgresAccountAdmin;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.PostgresUploadStore;
import dev.tintype.queue.webhook.WebhookPolicy;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The same submissions through the real gateway, each client on a connection that it keeps. */
final class HttpSubmits implements AutoCloseable {
  private static final int ANSWER_MS_MAX = 30_000;
  private static final int ANSWER_BYTES_MAX = 64 * 1024;
  private static final ImageLinks NO_LINKS =
      (sha256, width, height, tier) -> new ImageLinks.Urls("", "", "", "", "");

  private final Vertx vertx = Vertx.vertx();
  private final LiveEventHub hub;
  private final Gateway gateway;
  private final HttpServer http;

  HttpSubmits(
      Database database,
      PostgresJobStore jobs,
      AccountStore accounts,
      PostgresSignals signals,
      String model,
      Path folder) {
    hub = LiveEventHub.start(jobs, signals);
    int many = 1_000_000;
    gateway =
        new Gateway(
            GatewayConfig.defaults().withRates(new GatewayConfig.Rates(many, many, many, many)),
            new GatewayParts(
                vertx,
                jobs,
                accounts,
                new PostgresAccountAdmin(database),
                new PostgresUploadStore(database),
                new DirectoryBlobStore(folder.resolve("blobs")),
                hub,
                ModelCatalog.of(List.of(card(model))),
                NO_LINKS,
                CostModel.linear(23),
                new InProcessEphemera(Clock.systemUTC()),
                FleetView.UNKNOWN,
                ScalePolicy.DEFAULT,
                WebhookPolicy.OFF,
                List.of(),
                Clock.systemUTC(),
                new SecureRandom()));
    Router router = Router.router(vertx);
    gateway.mount(router);
    http =
        vertx
            .createHttpServer(
                new HttpServerOptions().setPort(0).setHost("127.0.0.1").setTcpNoDelay(true))
            .requestHandler(router);
    try {
      http.listen().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new NodeException.Start("bench.program", "The gateway did not start.", e);
    }
  }

  private static ModelCard card(String model) {
    return new ModelCard(
        model,
        "",
        new Size(256, 256),
        128,
        512,
        512L * 512,
        32,
        20,
        5,
        0,
        "ddim",
        List.of("ddim"),
        0);
  }

  /**
   * @param keys one of each client's user
   */
  Load run(List<String> keys, Duration time) throws InterruptedException {
    return Load.run(keys.size(), time, client -> client(keys.get(client)));
  }

  private Load.Client client(String key) throws IOException {
    Socket socket = new Socket("127.0.0.1", http.actualPort());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(ANSWER_MS_MAX);
    BufferedInputStream in = new BufferedInputStream(socket.getInputStream());
    OutputStream out = socket.getOutputStream();
    return number -> {
      String body = "{\"prompt\":\"a lighthouse at night " + number + "\",\"seed\":" + number + "}";
      String head =
          "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
              + key
              + "\r\nContent-Type: application/json\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n";
      out.write((head + body).getBytes(StandardCharsets.US_ASCII));
      accepted(in);
    };
  }

  /** Reads one answer to its end; any other than 202 ends the measurement. */
  private static void accepted(BufferedInputStream in) throws IOException {
    String status = line(in);
    int length = 0;
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(line.substring("content-length:".length()).strip());
      }
    }
    if (length > ANSWER_BYTES_MAX) {
      throw new NodeException.Start("bench.program", "An answer of " + length + " bytes.");
    }
    byte[] body = in.readNBytes(length);
    if (!status.startsWith("HTTP/1.1 202")) {
      throw new NodeException.Start(
          "bench.program", status + ": " + new String(body, StandardCharsets.UTF_8));
    }
  }

  private static String line(BufferedInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the gateway hung up");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  @Override
  public void close() {
    gateway.close();
    http.close().toCompletionStage().toCompletableFuture().join();
    hub.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}

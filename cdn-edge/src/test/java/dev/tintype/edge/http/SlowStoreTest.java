package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Loaded;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A store behind HTTP, as S3 is, that says how large an original is and then sends nothing for a
 * while, under a burst of requests for different originals.
 */
final class SlowStoreTest {
  private static final long MIB = 1024 * 1024;
  private static final int ORIGINALS = 40;
  private static final int PATIENCE_S = 60;

  /** Room for some of them, and for no more. */
  private static final long IN_FLIGHT_MAX = 4 * MIB;

  private static final int ORIGINAL_BYTES_MIN = 200_000;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  /** The store, and the edge's side of it. */
  private static final class SlowStore implements Originals, AutoCloseable {
    private final Map<String, byte[]> pictures = new ConcurrentHashMap<>();
    private final CountDownLatch sends = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;

    SlowStore() throws IOException {
      server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      server.setExecutor(threads);
      server.createContext("/", this::answer);
      server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
      try (exchange) {
        byte[] bytes = pictures.get(exchange.getRequestURI().getPath().substring(1));
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().flush();
        sends.await();
        exchange.getResponseBody().write(bytes);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public Optional<OriginalImage> open(String sha256) throws IOException {
      return open(sha256, bytes -> {});
    }

    @Override
    public Optional<OriginalImage> open(String sha256, LongConsumer admission) throws IOException {
      URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/" + sha256);
      HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
      try (InputStream in = connection.getInputStream()) {
        try {
          admission.accept(connection.getContentLengthLong());
        } catch (RuntimeException e) {
          connection.disconnect();
          throw e;
        }
        return Optional.of(new OriginalImage.InMemory(in.readAllBytes()));
      }
    }

    String put(byte[] bytes) {
      String sha256 = Pictures.sha256(bytes);
      pictures.put(sha256, bytes);
      return sha256;
    }

    @Override
    public void close() {
      server.stop(0);
      threads.shutdownNow();
    }
  }

  @Test
  void aBurstOfDifferentOriginalsHoldsNoMoreThanItMay() throws Exception {
    try (SlowStore store = new SlowStore();
        EdgeServer edge =
            new EdgeServer(
                folder,
                config -> config.with(limits(config.limits(), IN_FLIGHT_MAX)),
                none -> store)) {
      List<CompletableFuture<HttpResponse<byte[]>>> asked = new ArrayList<>();
      for (int i = 0; i < ORIGINALS; i++) {
        String sha256 = store.put(padded(Pictures.png(700 + i, 600)));
        asked.add(edge.send("GET", path(sha256)));
      }
      // Refused while the store holds back; only that ends this wait.
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      long most = 0;
      while (asked.stream().noneMatch(CompletableFuture::isDone)) {
        most = Math.max(most, edge.routes.bytesInFlight());
        assertThat(System.nanoTime()).as("in time").isLessThan(end);
        Thread.onSpinWait();
      }
      assertThat(most).isLessThanOrEqualTo(IN_FLIGHT_MAX);
      store.sends.countDown();
      int served = 0;
      for (CompletableFuture<HttpResponse<byte[]>> each : asked) {
        HttpResponse<byte[]> answer = each.get(PATIENCE_S, TimeUnit.SECONDS);
        if (answer.statusCode() == 200) {
          served++;
        } else {
          assertThat(answer.statusCode()).isEqualTo(503);
          assertThat(answer.headers().firstValue("retry-after")).contains("1");
          assertThat(new String(answer.body())).contains("edge.memory");
        }
        assertThat(edge.routes.bytesInFlight()).isLessThanOrEqualTo(IN_FLIGHT_MAX);
      }
      assertThat(served).as("those that had room").isPositive().isLessThan(ORIGINALS);
      assertThat(edge.routes.refusedForMemory()).isEqualTo(ORIGINALS - served);
      // What is kept after the answer gives its room back too.
      while (edge.routes.bytesInFlight() > 0) {
        assertThat(System.nanoTime()).as("in time").isLessThan(end);
        Thread.onSpinWait();
      }
      for (String sha256 : store.pictures.keySet()) {
        assertThat(edge.get(path(sha256)).statusCode()).isEqualTo(200);
      }
    }
  }

  @Test
  void anOriginalItselfTakesRoomUntilItIsSent() throws Exception {
    try (SlowStore store = new SlowStore();
        EdgeServer edge =
            new EdgeServer(
                folder, config -> config.with(limits(config.limits(), MIB)), none -> store)) {
      store.sends.countDown();
      byte[] bytes = Pictures.png(700, 600);
      String sha256 = store.put(bytes);
      String path = URLS.original(sha256, ImageFormat.PNG);
      assertThat(edge.get(path).body()).isEqualTo(bytes);
      assertThat(edge.get(path, "Range", "bytes=0-9").statusCode()).isEqualTo(206);
      assertThat(edge.head(path).statusCode()).isEqualTo(200);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      while (edge.routes.bytesInFlight() > 0) {
        assertThat(System.nanoTime()).as("in time").isLessThan(end);
        Thread.onSpinWait();
      }
    }
  }

  /** Decoders stop at the end of the picture; what follows it only takes room. */
  private static byte[] padded(byte[] png) {
    return Arrays.copyOf(png, Math.max(png.length, ORIGINAL_BYTES_MIN));
  }

  /** Nothing here may end by the clock of a slow machine. */
  private static EdgeConfig.Limits limits(EdgeConfig.Limits l, long inFlightBytesMax) {
    return new EdgeConfig.Limits(
        l.originalBytesMax(),
        l.originalPixelsMax(),
        l.sidePxMax(),
        l.encodeQueueMax(),
        l.laterQueueMax(),
        l.variantsPerOriginalMax(),
        60_000,
        ORIGINALS,
        l.ioQueueMax(),
        l.storeDeadlineMs(),
        inFlightBytesMax,
        l.laterPercent());
  }

  private static String path(String sha256) {
    return URLS.variant(sha256, Operations.none().width(100), ImageFormat.JPEG);
  }
}

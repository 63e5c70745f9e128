package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Loaded;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many at once: one encode a variant, bounded queues, deadlines, and caches that outlive the
 * process.
 */
final class LoadTest {
  private static final int CLIENTS = 1_000;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  private static EdgeConfig limits(
      EdgeConfig config, int threads, int queue, int perOriginal, int deadlineMs) {
    EdgeConfig.Encoder e = config.encoder();
    EdgeConfig.Limits l = config.limits();
    return new EdgeConfig(
        config.keys(),
        config.cache(),
        new EdgeConfig.Encoder(threads, 1, 80, 79, 50, 0, e.keepMetadata(), e.library()),
        new EdgeConfig.Limits(
            l.originalBytesMax(),
            l.originalPixelsMax(),
            l.sidePxMax(),
            queue,
            l.laterQueueMax(),
            perOriginal,
            deadlineMs,
            8,
            l.ioQueueMax(),
            l.storeDeadlineMs(),
            l.inFlightBytesMax(),
            l.laterPercent()));
  }

  @Test
  void aThousandClientsOfOneColdVariantCostOneEncode() throws Exception {
    CountDownLatch allAsked = new CountDownLatch(1);
    try (EdgeServer edge =
        new EdgeServer(
            folder,
            config -> config,
            originals ->
                sha256 -> {
                  // Held until the last client has asked, so that all of them meet a variant in the
                  // making.
                  await(allAsked);
                  return originals.open(sha256);
                })) {
      String sha = edge.put(Pictures.png(640, 480));
      String path = URLS.variant(sha, Operations.none().width(320), ImageFormat.WEBP);
      List<CompletableFuture<HttpResponse<byte[]>>> asked = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        asked.add(edge.send("GET", path));
      }
      allAsked.countDown();
      Set<Integer> statuses = new HashSet<>();
      Set<String> bodies = new HashSet<>();
      int collapsed = 0;
      for (CompletableFuture<HttpResponse<byte[]>> each : asked) {
        HttpResponse<byte[]> response = each.get(30, TimeUnit.SECONDS);
        statuses.add(response.statusCode());
        bodies.add(Pictures.sha256(response.body()));
        collapsed +=
            response.headers().firstValue("cache-status").orElse("").contains("collapsed") ? 1 : 0;
      }
      assertThat(statuses).containsExactly(200);
      assertThat(bodies).hasSize(1);
      assertThat(edge.routes.encodes()).isEqualTo(1);
      assertThat(collapsed).isPositive();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("the test never let go");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * An original that cannot be read before the test lets it: a named pipe. What comes out of it in
   * the end is no picture, so that each of its variants ends with 415.
   */
  private final class HeldOriginal implements AutoCloseable {
    private final Path pipe = folder.resolve("pipe");
    private FileChannel writer;

    HeldOriginal() throws Exception {
      Process mkfifo = new ProcessBuilder("mkfifo", pipe.toString()).start();
      assertThat(mkfifo.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(mkfifo.exitValue()).isZero();
    }

    /** Lets all reads through, from here on; there is nothing to read. */
    void letThrough() throws Exception {
      writer = FileChannel.open(pipe, StandardOpenOption.WRITE);
    }

    Originals around(Originals others, String sha256) {
      return asked ->
          asked.equals(sha256) ? Optional.of(new OriginalImage.InFile(pipe)) : others.open(asked);
    }

    @Override
    public void close() throws Exception {
      if (writer != null) {
        writer.close();
      }
    }
  }

  private static final String HELD = "ab".repeat(32);

  private static String variant(String sha256, int width) {
    return URLS.variant(sha256, Operations.none().width(width), ImageFormat.PNG);
  }

  @Test
  void beyondTheQueueTheAnswerIs503AndBeyondItsShareAnOriginalGets429() throws Exception {
    try (HeldOriginal held = new HeldOriginal();
        EdgeServer edge =
            new EdgeServer(
                folder,
                config -> limits(config, 1, 2, 3, 20_000),
                others -> held.around(others, HELD))) {
      String other = edge.put(Pictures.png(65, 48));
      BlockingQueue<HttpResponse<byte[]>> answers = new LinkedBlockingQueue<>();
      for (int width = 10; width < 16; width++) {
        edge.send("GET", variant(HELD, width)).thenAccept(answers::add);
      }
      // Three are let in (one runs, two wait); the other three are more than one original may have.
      for (int i = 0; i < 3; i++) {
        HttpResponse<byte[]> refused = answers.poll(20, TimeUnit.SECONDS);
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(refused.headers().firstValue("retry-after")).contains("1");
      }
      HttpResponse<byte[]> full = edge.get(variant(other, 10));
      assertThat(full.statusCode()).isEqualTo(503);
      assertThat(full.headers().firstValue("retry-after")).contains("1");
      assertThat(new String(full.body())).contains("edge.busy");
      held.letThrough();
      for (int i = 0; i < 3; i++) {
        assertThat(answers.poll(20, TimeUnit.SECONDS).statusCode()).isEqualTo(415);
      }
      assertThat(edge.get(variant(other, 10)).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void nobodyWaitsBeyondTheDeadline() throws Exception {
    try (HeldOriginal held = new HeldOriginal();
        EdgeServer edge =
            new EdgeServer(
                folder,
                config -> limits(config, 1, 2, 3, 200),
                others -> held.around(others, HELD))) {
      HttpResponse<byte[]> late = edge.get(variant(HELD, 10));
      assertThat(late.statusCode()).isEqualTo(503);
      assertThat(new String(late.body())).contains("edge.encode.deadline");
      assertThat(late.headers().firstValue("retry-after")).contains("5");
      held.letThrough();
    }
  }
}

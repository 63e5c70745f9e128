package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Loaded;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * WebP now, AVIF later. What was put off opens its original anew when its turn comes; there the
 * test holds it.
 */
final class AvifLaterTest {
  private static final String CHROME = "image/avif,image/webp,image/*,*/*;q=0.8";
  private static final Operations SIZE = Operations.none().width(300);
  private static final String SHORT = "public, max-age=10, stale-while-revalidate=60";
  private static final long PATIENCE_S = 60;

  @TempDir Path folder;

  /** How often each original was opened. */
  private final ConcurrentHashMap<String, AtomicInteger> opened = new ConcurrentHashMap<>();

  /** Originals that are not opened a third time before it is let go: WebP, AVIF, AVIF later. */
  private final ConcurrentHashMap<String, CountDownLatch> held = new ConcurrentHashMap<>();

  private EdgeServer edge;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  @BeforeEach
  void clear() {
    opened.clear();
    held.clear();
  }

  /** A budget of 1 ms, which no AVIF of this size keeps. */
  private static EdgeConfig hurried(EdgeConfig config, int laterMax) {
    EdgeConfig.Encoder e = config.encoder();
    EdgeConfig.Limits l = config.limits();
    return config
        .with(new EdgeConfig.Encoder(2, 1, 80, 79, 50, 0, 1, e.keepMetadata(), e.library()))
        .with(
            new EdgeConfig.Limits(
                l.originalBytesMax(),
                l.originalPixelsMax(),
                l.sidePxMax(),
                l.encodeQueueMax(),
                laterMax,
                l.variantsPerOriginalMax(),
                60_000,
                l.ioThreads(),
                l.ioQueueMax(),
                l.storeDeadlineMs(),
                l.inFlightBytesMax(),
                l.laterPercent()));
  }

  private EdgeServer edge(int laterMax) throws Exception {
    edge =
        new EdgeServer(
            folder,
            config -> hurried(config, laterMax),
            others ->
                asked -> {
                  int times =
                      opened
                          .computeIfAbsent(asked, sha256 -> new AtomicInteger())
                          .incrementAndGet();
                  CountDownLatch gate = held.get(asked);
                  if (times == 3 && gate != null) {
                    await(gate);
                  }
                  return others.open(asked);
                });
    return edge;
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** An original of its own, whose WebP is made. */
  private String picture(int width) throws Exception {
    String sha256 = edge.put(Pictures.png(width, 480));
    edge.get(URLS.variant(sha256, SIZE, ImageFormat.WEBP));
    return sha256;
  }

  private HttpResponse<byte[]> auto(String sha256, String... headers) throws Exception {
    String[] all = new String[headers.length + 2];
    all[0] = "Accept";
    all[1] = CHROME;
    System.arraycopy(headers, 0, all, 2, headers.length);
    return edge.get(URLS.auto(sha256, SIZE), all);
  }

  private static void until(BooleanSupplier holds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private static String header(HttpResponse<byte[]> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static Optional<ImageFormat> format(HttpResponse<byte[]> response) {
    return ImageSniffer.format(response.body());
  }

  private boolean avif(String sha256) {
    try {
      return format(auto(sha256)).equals(Optional.of(ImageFormat.AVIF));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void webpComesNowAndAvifWhenItIsMade() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String sha256 = picture(640);
      CountDownLatch gate = new CountDownLatch(1);
      held.put(sha256, gate);
      String webp = header(edge.get(URLS.variant(sha256, SIZE, ImageFormat.WEBP)), "etag");
      for (int i = 0; i < 5; i++) {
        HttpResponse<byte[]> now = auto(sha256);
        assertThat(format(now)).contains(ImageFormat.WEBP);
        assertThat(header(now, "content-type")).isEqualTo("image/webp");
        assertThat(header(now, "cache-control")).isEqualTo(SHORT);
        assertThat(header(now, "vary")).isEqualTo("Accept");
        assertThat(header(now, "etag")).isEqualTo(webp);
        assertThat(auto(sha256, "Range", "bytes=0-3").statusCode()).isEqualTo(206);
        assertThat(auto(sha256, "If-Match", webp).statusCode()).isEqualTo(200);
        HttpResponse<byte[]> known = auto(sha256, "If-None-Match", webp);
        assertThat(known.statusCode()).isEqualTo(304);
        assertThat(header(known, "cache-control")).isEqualTo(SHORT);
      }
      until(() -> opened.get(sha256).get() == 3);
      assertThat(edge.routes.encodes()).as("WebP, and one AVIF at its door").isLessThanOrEqualTo(2);
      gate.countDown();
      until(() -> avif(sha256));
      HttpResponse<byte[]> good = auto(sha256, "If-None-Match", webp);
      assertThat(good.statusCode()).as("the copy of before is not good any more").isEqualTo(200);
      assertThat(header(good, "cache-control")).contains("immutable");
      assertThat(header(good, "vary")).isEqualTo("Accept");
      assertThat(header(good, "etag")).isNotEqualTo(webp);
      assertThat(edge.routes.encodes()).isEqualTo(2);
      assertThat(edge.routes.waitingForLater()).isZero();
    }
  }

  @Test
  void whoNamesTheFormatDoesNotWaitForItsTurn() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String first = picture(640);
      String second = picture(641);
      CountDownLatch gate = new CountDownLatch(1);
      held.put(first, gate);
      assertThat(format(auto(first))).contains(ImageFormat.WEBP);
      until(() -> opened.get(first).get() == 3);
      assertThat(format(auto(second))).contains(ImageFormat.WEBP);
      assertThat(edge.routes.waitingForLater()).isEqualTo(1);
      HttpResponse<byte[]> named = edge.get(URLS.variant(second, SIZE, ImageFormat.AVIF));
      assertThat(format(named)).contains(ImageFormat.AVIF);
      assertThat(avif(second)).isTrue();
      assertThat(avif(first)).as("its turn has come, but it is held").isFalse();
      gate.countDown();
      until(() -> avif(first));
      assertThat(edge.routes.encodes()).isEqualTo(4);
    }
  }

  @Test
  void theOldestOfThosePutOffIsGivenUpForANewOneAndTriedAgain() throws Exception {
    try (EdgeServer closing = edge(1)) {
      String first = picture(640);
      String second = picture(641);
      String third = picture(642);
      CountDownLatch gate = new CountDownLatch(1);
      held.put(first, gate);
      assertThat(format(auto(first))).contains(ImageFormat.WEBP);
      until(() -> opened.get(first).get() == 3);
      assertThat(format(auto(second))).contains(ImageFormat.WEBP);
      assertThat(format(auto(third))).contains(ImageFormat.WEBP);
      assertThat(format(auto(third))).contains(ImageFormat.WEBP);
      assertThat(edge.routes.waitingForLater()).isEqualTo(1);
      assertThat(edge.routes.givenUpForLater()).isEqualTo(1);
      gate.countDown();
      until(() -> avif(first) && avif(second));
      until(() -> avif(third));
    }
  }

  @Test
  void whatWasPutOffDoesNotCountAgainstItsOriginal() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String first = picture(640);
      String second = edge.put(Pictures.png(641, 480));
      CountDownLatch gate = new CountDownLatch(1);
      held.put(first, gate);
      assertThat(format(auto(first))).contains(ImageFormat.WEBP);
      until(() -> opened.get(first).get() == 3);
      int more = edge.config.limits().variantsPerOriginalMax() + 1;
      for (int width = 300; width < 300 + more; width++) {
        HttpResponse<byte[]> now =
            edge.get(URLS.auto(second, Operations.none().width(width)), "Accept", CHROME);
        assertThat(now.statusCode()).as("width %d", width).isEqualTo(200);
      }
      assertThat(edge.routes.waitingForLater()).isEqualTo(more);
      gate.countDown();
    }
  }

  @Test
  void whatWasPutOffIsMadeAlsoWhereRequestsAlwaysWait() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String sha256 = picture(640);
      String other = edge.put(Pictures.png(1000, 900));
      assertThat(format(auto(sha256))).contains(ImageFormat.WEBP);
      // So many at once that an encoder always finds the next; they end with the AVIF.
      AtomicInteger width = new AtomicInteger(20);
      AtomicBoolean made = new AtomicBoolean();
      try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 12; i++) {
          clients.submit(
              () -> {
                while (!made.get()) {
                  var size = Operations.none().width(20 + width.incrementAndGet() % 900);
                  edge.get(
                      URLS.variant(other, size.quality(1 + width.get() / 900), ImageFormat.PNG));
                }
                return 0;
              });
        }
        try {
          until(() -> avif(sha256));
        } finally {
          made.set(true);
        }
      }
    }
  }

  @Test
  void whatCachesInFrontMakeOfABrowsersHeaderGetsWebp() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String sha256 = picture(640);
      assertThat(format(edge.get(URLS.auto(sha256, SIZE), "Accept", "image/avif")))
          .contains(ImageFormat.WEBP);
    }
  }

  @Test
  void aClientWithoutWebpGetsJpegMeanwhile() throws Exception {
    try (EdgeServer closing = edge(256)) {
      String sha256 = picture(640);
      HttpResponse<byte[]> now =
          edge.get(URLS.auto(sha256, SIZE), "Accept", "image/avif,image/jpeg");
      assertThat(format(now)).contains(ImageFormat.JPEG);
      assertThat(header(now, "cache-control")).isEqualTo(SHORT);
    }
  }
}

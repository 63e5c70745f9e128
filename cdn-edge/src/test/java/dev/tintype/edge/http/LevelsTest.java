package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Originals;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Loaded;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory, disk and the shared store; what is not there; purges. */
final class LevelsTest {
  private static final byte[] PNG = Pictures.png(96, 64);
  private static final String SHA = Pictures.sha256(PNG);
  private static final String PATH =
      URLS.variant(SHA, Operations.none().width(48), ImageFormat.WEBP);
  private static final long PATIENCE_S = 60;

  @TempDir Path folder;
  private final MapVariants shared = new MapVariants();
  private final SteppedClock clock = new SteppedClock();

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  @BeforeEach
  void store() throws IOException {
    Files.createDirectories(folder.resolve("originals"));
    Files.write(folder.resolve("originals").resolve(SHA), PNG);
  }

  private EdgeServer edge(String cache) throws Exception {
    return edge(cache, originals -> originals);
  }

  private EdgeServer edge(String cache, UnaryOperator<Originals> around) throws Exception {
    return edge(cache, around, 30_000, 8);
  }

  private EdgeServer edge(
      String cache, UnaryOperator<Originals> around, int storeDeadlineMs, int ioThreads)
      throws Exception {
    EdgeConfig.Cache place = EdgeConfig.Cache.in(folder.resolve(cache));
    return new EdgeServer(
        folder,
        config -> {
          EdgeConfig.Limits l = config.limits();
          return config
              .with(place)
              .with(
                  new EdgeConfig.Limits(
                      l.originalBytesMax(),
                      l.originalPixelsMax(),
                      l.sidePxMax(),
                      l.encodeQueueMax(),
                      l.laterQueueMax(),
                      l.variantsPerOriginalMax(),
                      60_000,
                      ioThreads,
                      l.ioQueueMax(),
                      storeDeadlineMs,
                      l.inFlightBytesMax(),
                      l.laterPercent()));
        },
        around,
        shared,
        clock);
  }

  private static String status(HttpResponse<byte[]> response) {
    return response.headers().firstValue("cache-status").orElse("none");
  }

  private static void until(BooleanSupplier holds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private long files(String cache) throws IOException {
    Path root = folder.resolve(cache);
    if (!Files.exists(root)) {
      return 0;
    }
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(Files::isRegularFile).count();
    }
  }

  @Test
  void aFreshEdgeFindsWhatAnotherMade() throws Exception {
    byte[] made;
    try (EdgeServer first = edge("one")) {
      made = first.get(PATH).body();
      until(() -> shared.kept.size() == 1);
    }
    try (EdgeServer second = edge("two")) {
      HttpResponse<byte[]> found = second.get(PATH);
      assertThat(status(found)).isEqualTo("tintype; hit; detail=store");
      assertThat(found.body()).isEqualTo(made);
      assertThat(status(second.get(PATH))).isEqualTo("tintype; hit; detail=memory");
      assertThat(second.routes.encodes()).isZero();
      HttpResponse<byte[]> part = second.get(PATH, "Range", "bytes=2-5");
      assertThat(part.statusCode()).isEqualTo(206);
      assertThat(part.body()).isEqualTo(Arrays.copyOfRange(made, 2, 6));
    }
    assertThat(files("two")).as("kept on its own disk too").isEqualTo(1);
  }

  @Test
  void aBrokenStoreCostsAnEncodeAndIsLeftAloneForAWhile() throws Exception {
    shared.broken = true;
    try (EdgeServer edge = edge("one")) {
      assertThat(status(edge.get(PATH))).isEqualTo("tintype; fwd=miss; stored");
      int asked = shared.reads.get();
      String other = URLS.variant(SHA, Operations.none().width(40), ImageFormat.WEBP);
      assertThat(edge.get(other).statusCode()).isEqualTo(200);
      assertThat(shared.reads).hasValue(asked);
      shared.broken = false;
      clock.pass(Duration.ofSeconds(60));
      String third = URLS.variant(SHA, Operations.none().width(32), ImageFormat.WEBP);
      assertThat(edge.get(third).statusCode()).isEqualTo(200);
      assertThat(shared.reads).hasValueGreaterThan(asked);
      until(() -> !shared.kept.isEmpty());
    }
  }

  @Test
  void aStoreThatHangsCostsItsDeadline() throws Exception {
    shared.gate = new CountDownLatch(1);
    try (EdgeServer edge = edge("one", originals -> originals, 100, 8)) {
      HttpResponse<byte[]> answer = edge.get(PATH);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(status(answer)).isEqualTo("tintype; fwd=miss; stored");
      shared.gate.countDown();
    }
  }

  @Test
  void anOriginalThatIsGoneTakesItsVariantsWithItInTime() throws Exception {
    try (EdgeServer edge = edge("one")) {
      edge.get(PATH);
      until(() -> shared.kept.size() == 1);
      edge.remove(SHA);
      assertThat(edge.get(PATH).statusCode()).isEqualTo(200);
      clock.pass(Duration.ofHours(2));
      assertThat(edge.get(PATH).statusCode()).isEqualTo(404);
      until(shared.kept::isEmpty);
      assertThat(files("one")).isZero();
    }
  }

  @Test
  void aStoreOfOriginalsThatCannotSayTakesNothingAway() throws Exception {
    try (EdgeServer edge = edge("one")) {
      edge.get(PATH);
      until(() -> shared.kept.size() == 1);
    }
    Originals away =
        sha256 -> {
          throw new IOException("away");
        };
    try (EdgeServer edge = edge("one", originals -> away)) {
      until(() -> get(edge).statusCode() == 200);
    }
  }

  @Test
  void aStoreOfOriginalsThatHangsHoldsUpNothingThatIsHere() throws Exception {
    try (EdgeServer edge = edge("one")) {
      edge.get(PATH);
      until(() -> shared.kept.size() == 1);
    }
    CountDownLatch gate = new CountDownLatch(1);
    UnaryOperator<Originals> hanging =
        originals ->
            sha256 -> {
              await(gate);
              return originals.open(sha256);
            };
    shared.kept.clear();
    try (EdgeServer edge = edge("one", hanging, 100, 1)) {
      List<CompletableFuture<HttpResponse<byte[]>>> cold = new ArrayList<>();
      for (int width = 10; width < 30; width++) {
        cold.add(
            edge.send("GET", URLS.variant(SHA, Operations.none().width(width), ImageFormat.PNG)));
      }
      // The one reader of the disk has taken the folder up before it looks for anything.
      assertThat(status(edge.get(PATH))).isEqualTo("tintype; hit; detail=disk");
      gate.countDown();
      for (CompletableFuture<HttpResponse<byte[]>> each : cold) {
        assertThat(each.get(PATIENCE_S, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      }
    }
  }

  private static HttpResponse<byte[]> get(EdgeServer edge) {
    try {
      return edge.get(PATH);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aMissingOriginalIsAskedForOnceInFiveSeconds() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (EdgeServer edge =
        edge(
            "one",
            originals ->
                sha256 -> {
                  asked.incrementAndGet();
                  return originals.open(sha256);
                })) {
      edge.remove(SHA);
      for (int i = 0; i < 5; i++) {
        assertThat(edge.get(PATH).statusCode()).isEqualTo(404);
        assertThat(edge.get(URLS.original(SHA, ImageFormat.PNG)).statusCode()).isEqualTo(404);
      }
      assertThat(asked).hasValue(1);
      edge.put(PNG);
      assertThat(edge.get(PATH).statusCode()).isEqualTo(404);
      clock.pass(Duration.ofSeconds(6));
      assertThat(edge.get(PATH).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aDamagedOriginalIsTriedOnceForAllItsVariants() throws Exception {
    try (EdgeServer edge = edge("one")) {
      String half = edge.put(Arrays.copyOf(PNG, PNG.length / 2));
      for (int width = 20; width < 25; width++) {
        HttpResponse<byte[]> refused =
            edge.get(URLS.variant(half, Operations.none().width(width), ImageFormat.WEBP));
        assertThat(refused.statusCode()).isEqualTo(415);
        assertThat(new String(refused.body())).contains("edge.original.corrupt");
      }
      assertThat(edge.routes.encodes()).isEqualTo(1);
      clock.pass(Duration.ofSeconds(31));
      edge.get(URLS.variant(half, Operations.none().width(20), ImageFormat.WEBP));
      assertThat(edge.routes.encodes()).isEqualTo(2);
    }
  }

  @Test
  void aPurgedPictureIsGoneFromEveryLevelAndStaysSo() throws Exception {
    try (EdgeServer edge = edge("one")) {
      edge.get(PATH);
      edge.get(PATH);
      edge.get(PATH); // By now the short way knows it.
      until(() -> shared.kept.size() == 1);
      edge.routes.purge(SHA).get(PATIENCE_S, TimeUnit.SECONDS);
      assertThat(shared.kept).isEmpty();
      assertThat(files("one")).isZero();
      for (String path :
          new String[] {
            PATH,
            URLS.original(SHA, ImageFormat.PNG),
            URLS.variant(SHA, Operations.none().width(20), ImageFormat.WEBP)
          }) {
        HttpResponse<byte[]> refused = edge.get(path);
        assertThat(refused.statusCode()).isEqualTo(410);
        assertThat(new String(refused.body())).contains("edge.purged");
        assertThat(edge.get(path, "If-None-Match", "*").statusCode()).isEqualTo(410);
      }
      clock.pass(Duration.ofDays(2));
      assertThat(edge.get(PATH).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void whatWasInTheMakingWhenThePurgeCameIsNeitherSentNorKept() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch purged = new CountDownLatch(1);
    try (EdgeServer edge =
        edge(
            "one",
            originals ->
                sha256 -> {
                  reading.countDown();
                  await(purged);
                  return originals.open(sha256);
                })) {
      var asked = edge.send("GET", PATH);
      await(reading);
      edge.routes.purge(SHA).get(PATIENCE_S, TimeUnit.SECONDS);
      purged.countDown();
      assertThat(asked.get(PATIENCE_S, TimeUnit.SECONDS).statusCode()).isEqualTo(410);
    }
    assertThat(files("one")).isZero();
    assertThat(shared.kept).isEmpty();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aPurgeThatTheStoreDidNotDoSaysSo() throws Exception {
    try (EdgeServer edge = edge("one")) {
      edge.get(PATH);
      shared.broken = true;
      assertThatThrownBy(() -> edge.routes.purge(SHA).get(PATIENCE_S, TimeUnit.SECONDS))
          .hasMessageContaining("purge the picture again");
      assertThat(edge.get(PATH).statusCode()).isEqualTo(410);
      shared.broken = false;
      edge.routes.purge(SHA).get(PATIENCE_S, TimeUnit.SECONDS);
      assertThat(shared.kept).isEmpty();
    }
  }

  @Test
  void cachesInFrontAreToldTheNameByWhichToPurge() throws Exception {
    EdgeConfig.Delivery tagged = new EdgeConfig.Delivery(Set.of(), false, true);
    try (EdgeServer edge =
        new EdgeServer(folder, config -> config.with(tagged), originals -> originals)) {
      for (int i = 0; i < 3; i++) {
        HttpResponse<byte[]> answer = edge.get(PATH);
        assertThat(answer.headers().firstValue("surrogate-key")).contains(SHA);
        assertThat(answer.headers().firstValue("cache-tag")).contains(SHA);
      }
    }
    try (EdgeServer edge = edge("plain")) {
      assertThat(edge.get(PATH).headers().firstValue("surrogate-key")).isEmpty();
    }
  }
}

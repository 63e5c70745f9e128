package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.VariantSpec;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Everything that can be sent: variants from memory, disk, the shared store or an encoder, and
 * originals. Never blocks; what takes time is done on pools of its own.
 */
public final class VariantService implements AutoCloseable {
  private final EdgeConfig config;
  private final KnownOriginals originals;
  private final VipsLibrary.Status library;
  private final Optional<Transcoder> transcoder;
  private final EdgePools pools;
  private final VariantCaches caches;
  private final Refusals refusals;
  private final Purged purged;
  private final Making making;
  private final ByteBudget budget;
  private final Purges purges;

  /** For an edge that stands alone. */
  public VariantService(EdgeConfig config, Originals originals) {
    this(config, originals, SharedVariants.NONE, Clock.systemUTC());
  }

  /**
   * Loads libvips and takes up the cache folder in the background. Without libvips only originals
   * are served.
   *
   * @param clock decides how long what was found out is believed
   */
  public VariantService(
      EdgeConfig config, Originals originals, SharedVariants shared, Clock clock) {
    this.config = config;
    library = VipsLibrary.load(config.encoder().library());
    transcoder =
        switch (library) {
          case VipsLibrary.Ready ready ->
              Optional.of(
                  new Transcoder(ready, config.encoder(), config.limits(), config.watermark()));
          case VipsLibrary.Unavailable unavailable -> Optional.empty();
        };
    pools = new EdgePools(config);
    budget = new ByteBudget(config.limits().inFlightBytesMax());
    Ticker ticker = () -> TimeUnit.MILLISECONDS.toNanos(clock.millis());
    refusals = new Refusals(ticker);
    purged = new Purged(ticker);
    int patienceMs = config.limits().storeDeadlineMs();
    caches =
        new VariantCaches(
            config.cache(),
            originals,
            purged,
            new SharedTier(
                shared,
                new StoreGuard("the shared store of variants", pools.store, patienceMs, clock),
                budget),
            new StoreGuard("the store of originals", pools.store, patienceMs, clock),
            ticker);
    this.originals = new KnownOriginals(originals, refusals, caches);
    making =
        new Making(
            config, library, transcoder, pools, caches, refusals, purged, this.originals, budget);
    purges = new Purges(pools, caches::purge);
    pools.io.execute(caches::scan);
  }

  /** The key of a variant; the same for every URL that means the same picture. */
  public VariantKey key(String sha256, VariantSpec spec) {
    return VariantKey.of(sha256, spec, transcoder.map(made -> made.version(spec)).orElse("none"));
  }

  /** The bytes of a variant that is in memory. Never blocks. */
  public Optional<Buffer> inMemory(String id) {
    return caches
        .inMemory(id)
        .flatMap(
            hit ->
                hit.body() instanceof Served.InMemory(Buffer bytes)
                    ? Optional.of(bytes)
                    : Optional.empty());
  }

  /**
   * The variant, from wherever it is. Never blocks.
   *
   * @throws EdgeException edge.purged
   */
  public Answer get(VariantKey key) {
    purged.check(key.sha256());
    Optional<Served> hit = caches.inMemory(key.id());
    if (hit.isPresent()) {
      return new Answer(CompletableFuture.completedFuture(hit.get()), false);
    }
    Making.Joined joined = making.join(key, false);
    return new Answer(joined.variant().result, joined.collapsed());
  }

  /**
   * The best variant if it is there or will be soon, else another, while the best is made when no
   * request waits. Never blocks.
   *
   * @param best an AVIF
   * @param instead another format of the same picture
   * @throws EdgeException edge.purged
   */
  public CompletableFuture<Chosen> soon(VariantKey best, VariantKey instead) {
    purged.check(best.sha256());
    Optional<Served> hit = caches.inMemory(best.id());
    if (hit.isPresent()) {
      return CompletableFuture.completedFuture(new Chosen(best, hit.get(), false, false));
    }
    Making.Joined joined = making.join(best, true);
    return joined
        .variant()
        .putOff
        .thenCompose(
            putOff -> {
              if (putOff) {
                Answer other = get(instead);
                return other
                    .served()
                    .thenApply(served -> new Chosen(instead, served, other.collapsed(), true));
              }
              return joined
                  .variant()
                  .result
                  .thenApply(served -> new Chosen(best, served, joined.collapsed(), false));
            });
  }

  /**
   * Whether a variant can be served, without making it: it is cached, or its original is there. For
   * validators.
   */
  public CompletableFuture<Boolean> available(VariantKey key) {
    purged.check(key.sha256());
    if (caches.inMemory(key.id()).isPresent()) {
      return CompletableFuture.completedFuture(true);
    }
    return read(() -> caches.has(key) || originals.there(key.sha256()));
  }

  /** Whether an original is there. */
  public CompletableFuture<Boolean> originalAvailable(String sha256) {
    purged.check(sha256);
    return read(() -> originals.there(sha256));
  }

  /**
   * Drops everything that was made of an original, in memory, on the disk and in the shared store,
   * and refuses it from now on. Repeating it is harmless. The original itself is its store's.
   *
   * @return done when nothing is left of it; fails with edge.store where the shared store did not
   *     do it, and what is here is gone all the same
   */
  public CompletableFuture<Void> purge(String sha256) {
    purged.add(sha256);
    refusals.forget(sha256);
    // At once, whatever store the purges before it wait for: the fast path sends what is in memory
    // unasked.
    caches.dropFromMemory(sha256);
    return purges.start(sha256);
  }

  /** Whether an original was purged, as far as this edge remembers. */
  public boolean purged(String sha256) {
    return purged.contains(sha256);
  }

  /**
   * The original's own bytes.
   *
   * @param format what the URL says it is; must be true
   * @return the bytes, which keep their room in memory until they are given back
   */
  public CompletableFuture<Lent> original(String sha256, ImageFormat format) {
    purged.check(sha256);
    return read(() -> lend(sha256, format), Lent::close);
  }

  private Lent lend(String sha256, ImageFormat format) throws IOException {
    ByteBudget.Held held = budget.open();
    try {
      return new Lent(find(sha256, format, held), held::close);
    } catch (IOException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private Served find(String sha256, ImageFormat format, ByteBudget.Held held) throws IOException {
    OriginalImage image = originals.open(sha256, held::atLeast);
    ImageFormat found =
        ImageSniffer.format(image.head(ImageSniffer.HEAD_BYTES))
            .orElseThrow(EdgeException::wrongFormat);
    if (found != format) {
      throw EdgeException.missingAs(sha256, format.extension(), found.extension());
    }
    Served.Body body =
        switch (image) {
          case OriginalImage.InFile(var path) -> new Served.InFile(path, image.size());
          case OriginalImage.InMemory(byte[] bytes) -> new Served.InMemory(Buffer.buffer(bytes));
        };
    return Served.of(body, Served.Source.ORIGINAL);
  }

  /** Encodes since the start. */
  public long encodes() {
    return making.encodes();
  }

  /** Variants that were put off and are not begun yet. */
  public int waitingForLater() {
    return making.waitingForLater();
  }

  /** Variants that were put off and given up for newer ones. */
  public long givenUpForLater() {
    return making.givenUp();
  }

  /** Bytes that requests hold beside the caches. */
  public long bytesInFlight() {
    return budget.held();
  }

  /** How often there was no room for more of them. */
  public long refusedForMemory() {
    return budget.refused();
  }

  /** What was found of libvips. */
  public VipsLibrary.Status library() {
    return library;
  }

  /** A step that may fail in the ways of I/O. */
  private interface Reading<T> {
    T read() throws IOException;
  }

  private <T> CompletableFuture<T> read(Reading<T> reading) {
    return read(reading, unused -> {});
  }

  /**
   * On the pool that waits for stores.
   *
   * @param unused gets what came too late for its request
   */
  private <T> CompletableFuture<T> read(Reading<T> reading, Consumer<T> unused) {
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      pools.fetch.execute(
          () -> {
            try {
              T found = reading.read();
              if (!result.complete(found)) {
                unused.accept(found);
              }
            } catch (IOException | RuntimeException e) {
              result.completeExceptionally(Making.answerTo(e));
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(EdgeException.busy());
    }
    return result.orTimeout(config.limits().encodeDeadlineMs(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    making.close();
  }
}

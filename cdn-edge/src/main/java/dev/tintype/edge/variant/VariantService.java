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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory, then disk, then the shared store, then one encode: however many ask for a cold variant,
 * it is encoded once and all get it. A variant counts as in the making until it is in the caches,
 * so nobody slips between the end of an encode and its storing.
 */
public final class VariantService implements AutoCloseable {
  private static final double NS_PER_MS = 1e6;
  private static final Logger LOG = LoggerFactory.getLogger(VariantService.class);

  private final EdgeConfig config;
  private final Originals originals;
  private final VipsLibrary.Status library;
  private final Optional<Transcoder> transcoder;
  private final EdgePools pools;
  private final VariantCaches caches;
  private final Refusals refusals;
  private final Purged purged;
  private final ConcurrentHashMap<String, InFlight> inFlight = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> perOriginal = new ConcurrentHashMap<>();
  private final LongAdder encodes = new LongAdder();

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
    this.originals = originals;
    library = VipsLibrary.load(config.encoder().library());
    transcoder =
        switch (library) {
          case VipsLibrary.Ready ready ->
              Optional.of(
                  new Transcoder(ready, config.encoder(), config.limits(), config.watermark()));
          case VipsLibrary.Unavailable unavailable -> Optional.empty();
        };
    pools = new EdgePools(config);
    Ticker ticker = () -> TimeUnit.MILLISECONDS.toNanos(clock.millis());
    refusals = new Refusals(ticker);
    purged = new Purged(ticker);
    caches =
        new VariantCaches(
            config.cache(),
            originals,
            purged,
            new SharedTier(shared, pools.store, config.limits().storeDeadlineMs(), clock),
            ticker);
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
    InFlight fresh = new InFlight(key, System.nanoTime());
    InFlight running = inFlight.putIfAbsent(key.id(), fresh);
    if (running != null) {
      return new Answer(running.result, true);
    }
    startClock(fresh);
    hand(pools.io, fresh, this::find);
    return new Answer(fresh.result, false);
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
    return read(() -> caches.has(key) || there(key.sha256()));
  }

  /** Whether an original is there. */
  public CompletableFuture<Boolean> originalAvailable(String sha256) {
    purged.check(sha256);
    return read(() -> there(sha256));
  }

  private boolean there(String sha256) throws IOException {
    refusals.checkThere(sha256);
    boolean there = originals.exists(sha256);
    if (!there) {
      refusals.missing(sha256);
    }
    return there;
  }

  private OriginalImage open(String sha256) throws IOException {
    refusals.checkThere(sha256);
    Optional<OriginalImage> found = originals.open(sha256);
    if (found.isEmpty()) {
      refusals.missing(sha256);
      throw EdgeException.missing(sha256);
    }
    caches.seen(sha256);
    return found.get();
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
    return read(
        () -> {
          caches.purge(sha256);
          return null;
        });
  }

  /** Whether an original was purged, as far as this edge remembers. */
  public boolean purged(String sha256) {
    return purged.contains(sha256);
  }

  /**
   * The original's own bytes.
   *
   * @param format what the URL says it is; must be true
   */
  public CompletableFuture<Served> original(String sha256, ImageFormat format) {
    purged.check(sha256);
    return read(
        () -> {
          OriginalImage image = open(sha256);
          ImageFormat found =
              ImageSniffer.format(image.head(ImageSniffer.HEAD_BYTES))
                  .orElseThrow(EdgeException::wrongFormat);
          if (found != format) {
            throw EdgeException.missingAs(sha256, format.extension(), found.extension());
          }
          Served.Body body =
              switch (image) {
                case OriginalImage.InFile(var path) -> new Served.InFile(path, image.size());
                case OriginalImage.InMemory(byte[] bytes) ->
                    new Served.InMemory(Buffer.buffer(bytes));
              };
          return Served.of(body, Served.Source.ORIGINAL);
        });
  }

  /** Encodes since the start. */
  public long encodes() {
    return encodes.sum();
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
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      pools.io.execute(
          () -> {
            try {
              result.complete(reading.read());
            } catch (IOException | RuntimeException e) {
              result.completeExceptionally(answerTo(e));
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(EdgeException.busy());
    }
    return result.orTimeout(config.limits().encodeDeadlineMs(), TimeUnit.MILLISECONDS);
  }

  /** One step of making a variant. */
  private interface Step {
    /** Whether the variant is finished, or has been handed to another step. */
    boolean run(InFlight variant) throws IOException;
  }

  /**
   * Runs a step on a pool; whatever happens, the variant is answered and, at its end, taken out of
   * the making.
   */
  private void hand(Executor pool, InFlight variant, Step step) {
    try {
      pool.execute(
          () -> {
            boolean finished = true;
            try {
              finished = variant.result.isDone() || step.run(variant);
            } catch (IOException | RuntimeException e) {
              variant.result.completeExceptionally(answerTo(e));
            } catch (Error e) {
              variant.result.completeExceptionally(answerTo(e));
              throw e;
            } finally {
              if (finished) {
                finish(variant);
              }
            }
          });
    } catch (RejectedExecutionException e) {
      variant.result.completeExceptionally(EdgeException.busy());
      finish(variant);
    }
  }

  private static EdgeException answerTo(Throwable e) {
    if (e instanceof EdgeException known) {
      return known;
    }
    LOG.error("an image could not be served", e);
    return EdgeException.failed();
  }

  private void finish(InFlight variant) {
    variant.deadline.cancel(false);
    if (variant.admitted) {
      perOriginal.computeIfPresent(
          variant.key.sha256(), (sha256, count) -> count == 1 ? null : count - 1);
    }
    inFlight.remove(variant.key.id(), variant);
  }

  /** On the reading pool: disk, else on to the encode pool. */
  private boolean find(InFlight variant) throws IOException {
    VariantKey key = variant.key;
    // Memory once more: the encode that this request just missed may have ended in between.
    Optional<Served> hit = kept(key);
    if (hit.isPresent()) {
      variant.result.complete(hit.get());
      return true;
    }
    refusals.check(key);
    OriginalImage original = open(key.sha256());
    if (library instanceof VipsLibrary.Unavailable(String reason)) {
      throw EdgeException.noLibvips(reason);
    }
    admit(variant);
    hand(pools.encode, variant, running -> encode(running, original));
    return false;
  }

  private Optional<Served> kept(VariantKey key) {
    refusals.checkThere(key.sha256());
    try {
      return caches.find(key);
    } catch (EdgeException.Missing e) {
      refusals.missing(key.sha256());
      throw e;
    }
  }

  /**
   * From here the variant has its deadline: nobody waits longer, whatever store, queue or encoder
   * is slow.
   */
  private void startClock(InFlight variant) {
    long deadlineMs = config.limits().encodeDeadlineMs();
    variant.deadline =
        pools.deadlines.schedule(
            () -> {
              if (variant.result.completeExceptionally(EdgeException.deadline(deadlineMs))) {
                variant.kill.fire();
              }
            },
            deadlineMs,
            TimeUnit.MILLISECONDS);
  }

  /** Counts the variant against its original. */
  private void admit(InFlight variant) {
    int max = config.limits().variantsPerOriginalMax();
    perOriginal.compute(
        variant.key.sha256(),
        (sha256, count) -> {
          if (count != null && count >= max) {
            throw EdgeException.tooManyVariants(max);
          }
          return count == null ? 1 : count + 1;
        });
    variant.admitted = true;
  }

  /** On the encode pool. */
  private boolean encode(InFlight variant, OriginalImage original) throws IOException {
    VariantKey key = variant.key;
    long startNs = System.nanoTime();
    encodes.increment();
    byte[] bytes;
    try {
      bytes = transcoder.orElseThrow().transcode(original, key.spec(), variant.kill);
    } catch (EdgeException.Unsupported e) {
      if (variant.kill.fired()) {
        // Not the original's fault: the deadline, or the end of this edge, broke off its decoding.
        throw EdgeException.busy();
      }
      refusals.broken(key, e);
      throw e;
    }
    long endNs = System.nanoTime();
    purged.check(key.sha256());
    Served.Body body = caches.keepInMemory(key, bytes);
    variant.result.complete(
        new Served(
            body,
            Served.Source.ENCODED,
            (startNs - variant.startNs) / NS_PER_MS,
            (endNs - startNs) / NS_PER_MS));
    // After the answer: the client need not wait for the disk.
    caches.store(key, bytes);
    return true;
  }

  @Override
  public void close() {
    inFlight.values().forEach(variant -> variant.kill.fire());
    pools.close();
    inFlight
        .values()
        .forEach(variant -> variant.result.completeExceptionally(EdgeException.busy()));
  }
}

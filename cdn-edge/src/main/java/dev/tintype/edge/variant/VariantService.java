package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.VariantSpec;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
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
 * Memory, then disk, then one encode: however many ask for a cold variant, it is encoded once and
 * all get it. A variant counts as in the making until it is in the caches, so nobody slips between
 * the end of an encode and its storing.
 */
public final class VariantService implements AutoCloseable {
  /** How long an original that cannot be decoded is remembered as such. */
  private static final Duration BROKEN_TTL = Duration.ofSeconds(30);

  private static final int BROKEN_MAX = 10_000;
  private static final double NS_PER_MS = 1e6;
  private static final Logger LOG = LoggerFactory.getLogger(VariantService.class);

  private final EdgeConfig config;
  private final Originals originals;
  private final VipsLibrary.Status library;
  private final Optional<Transcoder> transcoder;
  private final EdgePools pools;
  private final DiskCache disk;
  private final Cache<String, Served> memory;
  private final Cache<String, EdgeException> broken =
      Caffeine.newBuilder().maximumSize(BROKEN_MAX).expireAfterWrite(BROKEN_TTL).build();
  private final ConcurrentHashMap<String, InFlight> inFlight = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> perOriginal = new ConcurrentHashMap<>();
  private final LongAdder encodes = new LongAdder();

  /**
   * Loads libvips and takes up the cache folder in the background. Without libvips only originals
   * are served.
   */
  public VariantService(EdgeConfig config, Originals originals) {
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
    memory =
        Caffeine.newBuilder()
            .maximumWeight(config.cache().memoryBytesMax())
            .weigher((String id, Served served) -> Math.toIntExact(served.body().size()))
            .build();
    disk = new DiskCache(config.cache().folder(), config.cache().diskBytesMax());
    pools = new EdgePools(config);
    pools.io.execute(disk::scan);
  }

  /** The key of a variant; the same for every URL that means the same picture. */
  public VariantKey key(String sha256, VariantSpec spec) {
    return VariantKey.of(sha256, spec, transcoder.map(made -> made.version(spec)).orElse("none"));
  }

  /** The bytes of a variant that is in memory. Never blocks. */
  public Optional<Buffer> inMemory(String id) {
    Served hit = memory.getIfPresent(id);
    return hit != null && hit.body() instanceof Served.InMemory(Buffer bytes)
        ? Optional.of(bytes)
        : Optional.empty();
  }

  /** The variant, from wherever it is. Never blocks. */
  public Answer get(VariantKey key) {
    Served hit = memory.getIfPresent(key.id());
    if (hit != null) {
      return new Answer(CompletableFuture.completedFuture(hit), false);
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
    if (memory.getIfPresent(key.id()) != null) {
      return CompletableFuture.completedFuture(true);
    }
    return read(() -> disk.find(key.id()).isPresent() || originals.open(key.sha256()).isPresent());
  }

  /** Whether an original is there. */
  public CompletableFuture<Boolean> originalAvailable(String sha256) {
    return read(() -> originals.open(sha256).isPresent());
  }

  /**
   * The original's own bytes.
   *
   * @param format what the URL says it is; must be true
   */
  public CompletableFuture<Served> original(String sha256, ImageFormat format) {
    return read(
        () -> {
          OriginalImage image =
              originals.open(sha256).orElseThrow(() -> EdgeException.missing(sha256));
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
    // A second look: the encode that this request just missed may have ended in between.
    Served hit = memory.getIfPresent(key.id());
    if (hit == null) {
      hit = onDisk(key).orElse(null);
    }
    if (hit != null) {
      variant.result.complete(hit);
      return true;
    }
    EdgeException known = broken.getIfPresent(key.id());
    if (known != null) {
      throw known;
    }
    OriginalImage original =
        originals.open(key.sha256()).orElseThrow(() -> EdgeException.missing(key.sha256()));
    if (library instanceof VipsLibrary.Unavailable(String reason)) {
      throw EdgeException.noLibvips(reason);
    }
    admit(variant);
    hand(pools.encode, variant, running -> encode(running, original));
    return false;
  }

  private Optional<Served> onDisk(VariantKey key) throws IOException {
    Optional<Served.InFile> file = disk.find(key.id());
    if (file.isEmpty() || file.get().size() > config.cache().memoryEntryBytesMax()) {
      return file.map(body -> Served.of(body, Served.Source.DISK));
    }
    byte[] bytes = Files.readAllBytes(file.get().path());
    return Optional.of(Served.of(keepInMemory(key, bytes), Served.Source.DISK));
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
      broken.put(key.id(), e);
      throw e;
    }
    long endNs = System.nanoTime();
    Served.Body body = keepInMemory(key, bytes);
    variant.result.complete(
        new Served(
            body,
            Served.Source.ENCODED,
            (startNs - variant.startNs) / NS_PER_MS,
            (endNs - startNs) / NS_PER_MS));
    // After the answer: the client need not wait for the disk.
    disk.put(key.id(), bytes);
    return true;
  }

  private Served.Body keepInMemory(VariantKey key, byte[] bytes) {
    Served.Body body = new Served.InMemory(Buffer.buffer(bytes));
    if (bytes.length <= config.cache().memoryEntryBytesMax()) {
      memory.put(key.id(), Served.of(body, Served.Source.MEMORY));
    }
    return body;
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

package dev.tintype.edge.variant;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Variants in the making: however many ask for a cold one, it is looked for and encoded once and
 * all get it. A variant counts as in the making until it is in the caches, so nobody slips between
 * the end of an encode and its storing.
 *
 * <p>An AVIF that only {@code auto} asked for, and that would not be ready within {@code
 * edge.encoder.avif_budget_ms}, is put off: {@link InFlight#putOff} says so, the request is
 * answered in another format, and the AVIF is made when no request waits for an encoder.
 */
final class Making implements AutoCloseable {
  private static final double NS_PER_MS = 1e6;

  /** Longest encode of one that was put off. Only decoding and resizing can be stopped. */
  private static final long LATER_DEADLINE_MS = 60_000;

  private static final Logger LOG = LoggerFactory.getLogger(Making.class);

  private final EdgeConfig config;
  private final VipsLibrary.Status library;
  private final Optional<Transcoder> transcoder;
  private final EdgePools pools;
  private final VariantCaches caches;
  private final Refusals refusals;
  private final Purged purged;
  private final KnownOriginals originals;
  private final ConcurrentHashMap<String, InFlight> inFlight = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Integer> perOriginal = new ConcurrentHashMap<>();
  private final LongAdder encodes = new LongAdder();
  private final EncodeCosts costs;
  private final Later later;

  Making(
      EdgeConfig config,
      VipsLibrary.Status library,
      Optional<Transcoder> transcoder,
      EdgePools pools,
      VariantCaches caches,
      Refusals refusals,
      Purged purged,
      KnownOriginals originals) {
    this.config = config;
    this.library = library;
    this.transcoder = transcoder;
    this.pools = pools;
    this.caches = caches;
    this.refusals = refusals;
    this.purged = purged;
    this.originals = originals;
    costs = new EncodeCosts(config.encoder().threads(), config.encoder().avifEffort());
    later = new Later(config.limits().laterQueueMax());
  }

  /**
   * A variant in the making, and whether another request had begun it.
   *
   * @param variant what to wait for
   */
  record Joined(InFlight variant, boolean collapsed) {}

  /**
   * Begins a variant, or joins who has begun it.
   *
   * @param patient whether it may be put off
   */
  Joined join(VariantKey key, boolean patient) {
    InFlight fresh = new InFlight(key, System.nanoTime(), !patient);
    InFlight running = inFlight.putIfAbsent(key.id(), fresh);
    if (running == null) {
      startClock(fresh, config.limits().encodeDeadlineMs());
      hand(pools.io, fresh, this::find);
      return new Joined(fresh, false);
    }
    if (!patient && running.insist()) {
      startClock(running, config.limits().encodeDeadlineMs());
      hand(pools.encode, running, variant -> encode(variant, originals.open(key.sha256())));
    }
    return new Joined(running, true);
  }

  long encodes() {
    return encodes.sum();
  }

  /** How many were put off and have not been begun. */
  int waitingForLater() {
    return later.size();
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
  private void hand(ThreadPoolExecutor pool, InFlight variant, Step step) {
    try {
      pool.execute(
          () -> {
            run(variant, step);
            if (pool == pools.encode) {
              makeLater();
            }
          });
    } catch (RejectedExecutionException e) {
      variant.result.completeExceptionally(EdgeException.busy());
      finish(variant);
    }
  }

  private void run(InFlight variant, Step step) {
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
  }

  static EdgeException answerTo(Throwable e) {
    if (e instanceof EdgeException known) {
      return known;
    }
    LOG.error("an image could not be served", e);
    return EdgeException.failed();
  }

  private void finish(InFlight variant) {
    variant.stopClock();
    if (variant.admitted) {
      perOriginal.computeIfPresent(
          variant.key.sha256(), (sha256, count) -> count == 1 ? null : count - 1);
    }
    inFlight.remove(variant.key.id(), variant);
  }

  /** On the pool of this machine's disk: the caches here, else on to what is elsewhere. */
  private boolean find(InFlight variant) {
    // Memory once more: the encode that this request just missed may have ended in between.
    if (found(variant, caches::findHere)) {
      return true;
    }
    hand(pools.fetch, variant, this::fetch);
    return false;
  }

  /** On the pool that waits for stores: the shared variants, else on to the encode pool. */
  private boolean fetch(InFlight variant) throws IOException {
    VariantKey key = variant.key;
    if (found(variant, caches::findElsewhere)) {
      return true;
    }
    refusals.check(key);
    OriginalImage original = originals.open(key.sha256());
    if (library instanceof VipsLibrary.Unavailable(String reason)) {
      throw EdgeException.noLibvips(reason);
    }
    admit(variant);
    if (variant.patient() && crowded() && defer(variant)) {
      makeLater();
      return false;
    }
    hand(pools.encode, variant, running -> encode(running, original));
    return false;
  }

  private boolean found(InFlight variant, Function<VariantKey, Optional<Served>> level) {
    VariantKey key = variant.key;
    refusals.checkThere(key.sha256());
    try {
      Optional<Served> hit = level.apply(key);
      hit.ifPresent(variant.result::complete);
      return hit.isPresent();
    } catch (EdgeException.Missing e) {
      refusals.missing(key.sha256());
      throw e;
    }
  }

  /** Whether the way to an encoder alone takes an AVIF's time. */
  private boolean crowded() {
    var queue = pools.encode.getQueue();
    return queue.remainingCapacity() == 0
        || costs.waitMs(queue.size()) > config.encoder().avifBudgetMs();
  }

  /**
   * Puts a variant off. Where nothing more can be put off, it is given up: its request gets another
   * format all the same, and a later one tries again.
   *
   * @return false where somebody needs this very format
   */
  private boolean defer(InFlight variant) {
    if (!variant.defer()) {
      return false;
    }
    boolean added = later.add(variant);
    variant.putOff.complete(true);
    if (!added && variant.begin()) {
      variant.result.completeExceptionally(EdgeException.busy());
      finish(variant);
    }
    return true;
  }

  /** Begins one of those that were put off, if none is under way and no request waits. */
  private void makeLater() {
    if (!pools.encode.getQueue().isEmpty() || !later.take()) {
      return;
    }
    try {
      pools.encode.execute(
          () -> {
            try {
              // A request that has come meanwhile goes first; its end looks here again.
              if (pools.encode.getQueue().isEmpty()) {
                later.next().ifPresent(this::makeNow);
              }
            } finally {
              later.end();
            }
            makeLater();
          });
    } catch (RejectedExecutionException e) {
      later.end();
    }
  }

  private void makeNow(InFlight variant) {
    startClock(variant, LATER_DEADLINE_MS);
    run(variant, begun -> encode(begun, originals.open(begun.key.sha256())));
  }

  /** From here nobody waits longer, whatever store, queue or encoder is slow. */
  private void startClock(InFlight variant, long deadlineMs) {
    variant.deadline(
        pools.deadlines.schedule(
            () -> {
              if (variant.result.completeExceptionally(EdgeException.deadline(deadlineMs))) {
                variant.kill.fire();
              }
            },
            deadlineMs,
            TimeUnit.MILLISECONDS));
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
    purged.check(key.sha256());
    long startNs = System.nanoTime();
    encodes.increment();
    Optional<byte[]> made;
    try {
      made =
          transcoder
              .orElseThrow()
              .transcode(
                  original,
                  key.spec(),
                  variant.kill,
                  (read, written) -> begins(variant, EncodeCosts.work(read, written)));
    } catch (EdgeException.Unsupported e) {
      if (variant.kill.fired()) {
        // Not the original's fault: the deadline, or the end of this edge, broke off its decoding.
        throw EdgeException.busy();
      }
      refusals.broken(key, e);
      throw e;
    }
    if (made.isEmpty()) {
      encodes.decrement();
      return false;
    }
    byte[] bytes = made.get();
    double encodeMs = (System.nanoTime() - startNs) / NS_PER_MS;
    costs.learn(key.spec().format(), variant.work, encodeMs);
    purged.check(key.sha256());
    Served.Body body = caches.keepInMemory(key, bytes);
    variant.result.complete(
        new Served(body, Served.Source.ENCODED, (startNs - variant.startNs) / NS_PER_MS, encodeMs));
    // After the answer: the client need not wait for the disk.
    caches.store(key, bytes);
    return true;
  }

  /** Asked when the header has been read and nothing else. */
  private boolean begins(InFlight variant, long work) {
    variant.work = work;
    boolean slow =
        variant.patient()
            && !variant.putOff.isDone()
            && costs.avifMs(work) > config.encoder().avifBudgetMs();
    return !(slow && defer(variant));
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

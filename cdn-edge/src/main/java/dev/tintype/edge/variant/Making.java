package dev.tintype.edge.variant;

import dev.tintype.edge.EdgeConfig;
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
  private final ByteBudget budget;
  private final Keeping keeping;

  Making(
      EdgeConfig config,
      VipsLibrary.Status library,
      Optional<Transcoder> transcoder,
      EdgePools pools,
      VariantCaches caches,
      Refusals refusals,
      Purged purged,
      KnownOriginals originals,
      ByteBudget budget) {
    this.config = config;
    this.library = library;
    this.transcoder = transcoder;
    this.pools = pools;
    this.caches = caches;
    this.refusals = refusals;
    this.purged = purged;
    this.originals = originals;
    this.budget = budget;
    keeping = new Keeping(caches::store, pools.keep);
    costs = new EncodeCosts(config.encoder().threads(), config.encoder().avifEffort());
    later = new Later(config.limits().laterQueueMax(), config.limits().laterPercent());
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
      later.remove(running);
      hand(pools.fetch, running, this::fetch);
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

  /** How many were put off and given up for newer ones. */
  long givenUp() {
    return later.dropped();
  }

  /** One step of making a variant. */
  private interface Step {
    /** Whether the variant is finished; false: it has been handed to another step, or put off. */
    boolean run(InFlight variant) throws IOException;

    /** It will not be run. */
    default void drop() {}
  }

  /** The last step, with the original that it holds. */
  private record Encode(Making making, Loaded loaded) implements Step {
    @Override
    public boolean run(InFlight variant) throws IOException {
      try (loaded) {
        making.encode(variant, loaded);
      }
      return false;
    }

    @Override
    public void drop() {
      loaded.close();
    }
  }

  /**
   * Runs a step on a pool; whatever happens, the variant is answered and, at its end, taken out of
   * the making.
   */
  private void hand(ThreadPoolExecutor pool, InFlight variant, Step step) {
    try {
      pool.execute(
          () -> {
            long startNs = System.nanoTime();
            run(variant, step);
            if (pool == pools.encode) {
              later.served(System.nanoTime() - startNs);
              makeLater();
            }
          });
    } catch (RejectedExecutionException e) {
      step.drop();
      variant.result.completeExceptionally(EdgeException.busy());
      finish(variant);
    }
  }

  private void run(InFlight variant, Step step) {
    boolean finished = true;
    try {
      if (variant.result.isDone()) {
        step.drop();
      } else {
        finished = step.run(variant);
      }
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
    dismiss(variant);
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
    if (library instanceof VipsLibrary.Unavailable(String reason)) {
      throw originals.there(key.sha256())
          ? EdgeException.noLibvips(reason)
          : EdgeException.missing(key.sha256());
    }
    if (variant.patient() && crowded() && defer(variant)) {
      wakeEncoder();
      return false;
    }
    admit(variant);
    hand(pools.encode, variant, new Encode(this, load(key.sha256())));
    return false;
  }

  /** The original, with room for it taken before its bytes come into memory. */
  private Loaded load(String sha256) throws IOException {
    ByteBudget.Held held = budget.open();
    try {
      return Loaded.of(
          originals.open(sha256, bytes -> held.atLeast(Loaded.bytesInMemory(bytes, limits()))),
          limits(),
          held);
    } catch (IOException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private EdgeConfig.Limits limits() {
    return config.limits();
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
   * Puts a variant off. Where there are too many, the oldest is given up: its request has got
   * another format, and a later one tries again. What was put off does not count against its
   * original.
   *
   * @return false where somebody needs this very format
   */
  private boolean defer(InFlight variant) {
    if (!variant.defer()) {
      return false;
    }
    Optional<InFlight> tooMuch = later.add(variant);
    variant.putOff.complete(true);
    tooMuch.ifPresent(
        oldest -> {
          oldest.result.completeExceptionally(EdgeException.busy());
          finish(oldest);
        });
    return true;
  }

  /** An encoder that has nothing to do begins with what was put off. */
  private void wakeEncoder() {
    if (pools.encode.getQueue().isEmpty()) {
      try {
        pools.encode.execute(this::makeLater);
      } catch (RejectedExecutionException e) {
        // Busy after all; each encode that ends looks for what was put off.
      }
    }
  }

  /** On an encoder: those that were put off, as long as it is their turn. */
  private void makeLater() {
    while (later.take(pools.encode.getQueue().isEmpty())) {
      long startNs = System.nanoTime();
      try {
        later.next().ifPresent(this::makeNow);
      } finally {
        later.end(System.nanoTime() - startNs);
      }
    }
  }

  private void makeNow(InFlight variant) {
    startClock(variant, LATER_DEADLINE_MS);
    run(variant, begun -> new Encode(this, load(begun.key.sha256())).run(begun));
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
    variant.admitted.set(true);
  }

  /** No longer counts against its original. */
  private void dismiss(InFlight variant) {
    if (variant.admitted.compareAndSet(true, false)) {
      perOriginal.computeIfPresent(
          variant.key.sha256(), (sha256, count) -> count == 1 ? null : count - 1);
    }
  }

  /**
   * On the encode pool. The variant has been put off afterwards, or is finished when it is kept.
   */
  private void encode(InFlight variant, Loaded loaded) throws IOException {
    VariantKey key = variant.key;
    purged.check(key.sha256());
    loaded.admitCopy();
    long startNs = System.nanoTime();
    encodes.increment();
    Optional<byte[]> made;
    try {
      made =
          transcoder
              .orElseThrow()
              .transcode(
                  loaded.image(),
                  key.spec(),
                  variant.kill,
                  (read, written) -> {
                    loaded.admitPixels(read + written);
                    return begins(variant, EncodeCosts.work(read, written));
                  },
                  bytes -> answer(variant, loaded, bytes, startNs));
    } catch (EdgeException.Unsupported e) {
      if (variant.kill.fired()) {
        // Not the original's fault: the deadline, or the end of this edge, broke off its decoding.
        throw EdgeException.busy();
      }
      refusals.broken(key, e);
      throw e;
    }
    made.ifPresentOrElse(
        bytes -> keeping.keep(key, bytes, () -> finish(variant)), encodes::decrement);
  }

  /** To all who wait. Counts no longer against its original, and its room is for the next. */
  private void answer(InFlight variant, Loaded loaded, byte[] bytes, long startNs) {
    VariantKey key = variant.key;
    // Before the answer: whoever has it and asks for the next finds the room of this one.
    loaded.close();
    dismiss(variant);
    double encodeMs = (System.nanoTime() - startNs) / NS_PER_MS;
    costs.learn(key.spec().format(), variant.work, encodeMs);
    purged.check(key.sha256());
    Served.Body body = caches.keepInMemory(key, bytes);
    variant.result.complete(
        new Served(body, Served.Source.ENCODED, (startNs - variant.startNs) / NS_PER_MS, encodeMs));
    // The thread that sends it was woken, often on this processor: it goes first.
    Thread.yield();
  }

  /** Asked when the header has been read and nothing else. */
  private boolean begins(InFlight variant, long work) {
    variant.work = work;
    boolean slow =
        variant.patient()
            && !variant.putOff.isDone()
            && costs.avifMs(work) > config.encoder().avifBudgetMs();
    if (!slow) {
      return true;
    }
    dismiss(variant);
    if (defer(variant)) {
      return false;
    }
    admit(variant);
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

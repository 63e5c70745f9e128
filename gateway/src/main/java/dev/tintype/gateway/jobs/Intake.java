package dev.tintype.gateway.jobs;

import dev.tintype.gateway.AdmissionRule;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.relay.Admission;
import dev.tintype.queue.relay.Admission.Decision;
import dev.tintype.queue.relay.WaitingWork;
import dev.tintype.queue.store.Backlog;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks {@link Admission} about each job before the store does. What waits is read from the store in
 * the background, however many jobs come: at most once in {@link #FRESH_MS}, and for at most a
 * tenth of the time. Between two readings what this gateway accepted is counted; what others accept
 * is not, so several gateways together may take in too much, by what they accept in that time.
 */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

  /** Age up to which a reading is not repeated, ms. */
  private static final long FRESH_MS = 2_000;

  /** A reading took so many times less than what passes until the next. */
  private static final int SPARSE = 10;

  /** Older readings decide nothing, ms: who asks waits for a new one. */
  private static final long AGE_MS_MAX = 30_000;

  /** How long a submission waits for a first or too old reading, ms, where it only informs. */
  private static final long INFORM_MS_MAX = 250;

  private static final long DECIDE_MS_MAX = 5_000;

  private static final Duration NOBODY_RETRY = Duration.ofSeconds(30);

  private final GatewayParts parts;
  private final AdmissionRule rule;
  private final WaitingWork waiting = new WaitingWork();
  private final AtomicReference<CompletableFuture<Look>> reading = new AtomicReference<>();
  private volatile Optional<Look> latest = Optional.empty();

  /** What was read beside the backlog, and when. */
  private record Look(Admission admission, Map<String, Tier> tiers, long atMs, long tookMs) {}

  /**
   * The answer about one job; {@link #settle} has to follow.
   *
   * @param expectedWait until it starts; empty where nobody knows
   * @param refusal why it is not accepted
   */
  record Answer(Backlog job, Optional<Duration> expectedWait, Optional<LimitException> refusal) {}

  Intake(GatewayParts parts, AdmissionRule rule) {
    this.parts = parts;
    this.rule = rule;
  }

  /** Blocks for a moment where there is no reading that is young enough. */
  Answer ask(SubmitRequest request) {
    Optional<Look> look = look();
    String model = request.spec().model();
    boolean relaxed = request.mode() == JobMode.RELAX;
    Backlog job = new Backlog(request.tier(), relaxed, model, request.costMs());
    List<Backlog> before = waiting.ask(job);
    FleetView fleet = parts.fleet().still();
    Optional<Tier> tier = look.map(one -> one.tiers().get(request.tier()));
    if (tier.isEmpty()) {
      return new Answer(job, Optional.empty(), Optional.empty());
    }
    Set<String> shared = sharing(fleet, tier.get(), model);
    List<Backlog> ahead = before.stream().filter(one -> shared.contains(one.model())).toList();
    double gpus = fleet.workersFor(tier.get(), model);
    ToDoubleFunction<String> byPool = pool -> fleet.workersFor(pool, model);
    Admission admission = look.get().admission();
    Optional<Duration> expected =
        fleet.known() && gpus > 0
            ? Optional.of(admission.expectedWait(request.tier(), relaxed, ahead, byPool))
            : Optional.empty();
    if (rule == AdmissionRule.OPEN) {
      return new Answer(job, expected, Optional.empty());
    }
    Decision decision = admission.decide(request.tier(), relaxed, ahead, request.costMs(), byPool);
    return new Answer(job, expected, refusal(decision, model, gpus));
  }

  /** The models whose jobs the tier's workers of this model may run instead. */
  private static Set<String> sharing(FleetView fleet, Tier tier, String model) {
    Set<String> models = new HashSet<>(Set.of(model));
    fleet.workers().stream()
        .filter(worker -> tier.mayUse(worker.pool()) && worker.takes(model))
        .forEach(worker -> models.addAll(worker.serves()));
    return models;
  }

  private static Optional<LimitException> refusal(Decision decision, String model, double gpus) {
    return switch (decision) {
      case Decision.Admit admit -> Optional.empty();
      case Decision.Refuse refuse when gpus <= 0 ->
          Optional.of(
              new LimitException(
                  "queue.bound",
                  "No worker paints with " + model + " at present. Try again soon.",
                  NOBODY_RETRY));
      case Decision.Refuse refuse ->
          Optional.of(
              new LimitException(
                  "queue.bound",
                  "Your tier's queue is so long that this job might start later than its tier"
                      + " promises. Nothing was accepted; try again after the time that"
                      + " Retry-After says.",
                  refuse.retryAfter(),
                  refuse.predictedWait()));
    };
  }

  /** What became of it. */
  void settle(Answer answer, boolean accepted) {
    waiting.settle(answer.job(), accepted);
  }

  /** Empty where there is none in time, and it only informs. */
  private Optional<Look> look() {
    Optional<Look> known = latest;
    long ageMs = known.map(look -> Math.abs(parts.clock().millis() - look.atMs())).orElse(0L);
    if (known.isPresent() && ageMs < Math.max(FRESH_MS, SPARSE * known.get().tookMs())) {
      return known;
    }
    CompletableFuture<Look> next = startReading();
    if (known.isPresent() && ageMs < AGE_MS_MAX) {
      return known;
    }
    boolean decides = rule == AdmissionRule.BOUND;
    try {
      return Optional.of(next.get(decides ? DECIDE_MS_MAX : INFORM_MS_MAX, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unknown(decides, e);
    } catch (ExecutionException | TimeoutException e) {
      return unknown(decides, e);
    }
  }

  private static Optional<Look> unknown(boolean decides, Exception cause) {
    if (!decides) {
      return Optional.empty();
    }
    if (cause.getCause() instanceof QueueException known) {
      throw known;
    }
    throw new QueueException.Unavailable(
        "store.timeout", "The database did not say in time what waits. Try again.", cause);
  }

  /** One at a time; whoever comes meanwhile shares it. */
  private CompletableFuture<Look> startReading() {
    CompletableFuture<Look> mine = new CompletableFuture<>();
    CompletableFuture<Look> underWay = reading.compareAndExchange(null, mine);
    if (underWay != null) {
      return underWay;
    }
    Thread.ofVirtual().name("intake").start(() -> read(mine));
    return mine;
  }

  private void read(CompletableFuture<Look> promise) {
    long began = System.nanoTime();
    try {
      waiting.reading();
      waiting.read(parts.jobs().backlog());
      List<Tier> tiers = parts.accounts().tiers();
      Look look =
          new Look(
              new Admission(tiers, Admission.RESERVE_DEFAULT),
              tiers.stream().collect(Collectors.toMap(Tier::name, tier -> tier)),
              parts.clock().millis(),
              (System.nanoTime() - began) / 1_000_000);
      latest = Optional.of(look);
      promise.complete(look);
    } catch (RuntimeException e) {
      LOG.debug("What waits could not be read: {}", e.getMessage());
      promise.completeExceptionally(e);
    } finally {
      reading.set(null);
    }
  }
}

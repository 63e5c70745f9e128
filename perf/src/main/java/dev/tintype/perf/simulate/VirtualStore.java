package dev.tintype.perf.simulate;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.queue.store.CancelResult;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.ReadyPage;
import dev.tintype.queue.store.Renewal;
import dev.tintype.queue.store.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * The jobs table on virtual time: the same moves, by the same state machine, retry policy and fence
 * as the one in PostgreSQL, as far as relays and workers see it.
 */
final class VirtualStore implements DispatchStore, LeaseStore {
  /** A job that was refused to a worker that it crashed goes out again for others after this. */
  private static final long PASS_OVER_MS = 1_000;

  private final VirtualClock clock;
  private final RandomGenerator random;
  private final RetryPolicy retries = RetryPolicy.DEFAULT;
  private final Map<JobId, VirtualJob> jobs = new HashMap<>();

  /** Per tier and user: jobs that may be claimed now, oldest first. */
  private final Map<String, TreeMap<String, OfUser>> ready = new HashMap<>();

  /** As the table's index: by mode, so that neither hides the other. */
  private record OfUser(TreeSet<VirtualJob> normal, TreeSet<VirtualJob> relaxed) {
    private static final Comparator<VirtualJob> OLDEST = Comparator.comparing(job -> job.id);

    OfUser() {
      this(new TreeSet<>(OLDEST), new TreeSet<>(OLDEST));
    }

    TreeSet<VirtualJob> with(VirtualJob job) {
      return job.wish.relaxed() ? relaxed : normal;
    }

    boolean isEmpty() {
      return normal.isEmpty() && relaxed.isEmpty();
    }
  }

  /** Estimated work that is queued, per lane. */
  private final Map<String, Long> queuedMs = new LinkedHashMap<>();

  private final PriorityQueue<Alarm> alarms =
      new PriorityQueue<>(Comparator.comparingLong(Alarm::atMs).thenComparing(a -> a.job().id));
  private final PriorityQueue<Alarm> leases =
      new PriorityQueue<>(Comparator.comparingLong(Alarm::atMs).thenComparing(a -> a.job().id));
  long fenced;

  /** Look at this job then: its backoff, its claim or its lease may have ended. */
  private record Alarm(long atMs, VirtualJob job) {}

  VirtualStore(VirtualClock clock, RandomGenerator random) {
    this.clock = clock;
    this.random = random;
  }

  Collection<VirtualJob> all() {
    return jobs.values();
  }

  VirtualJob row(JobId id) {
    return jobs.get(id);
  }

  long queuedMs(String lane) {
    return queuedMs.getOrDefault(lane, 0L);
  }

  VirtualJob submit(Arrivals.Wish wish) {
    VirtualJob job = new VirtualJob(JobId.next(clock, random), wish, clock.nowMs());
    jobs.put(job.id, job);
    queued(job, 1);
    offer(job);
    return job;
  }

  /** What a user does; the histories here have none who changes his mind. */
  CancelResult cancel(JobId id) {
    VirtualJob job = jobs.get(id);
    if (job == null) {
      return CancelResult.NOT_FOUND;
    }
    if (job.state.terminal()) {
      return CancelResult.ALREADY_ENDED;
    }
    if (job.state.leased()) {
      job.cancelRequested = true;
      return CancelResult.REQUESTED;
    }
    withdraw(job);
    queued(job, -1);
    again(job, JobAction.CANCEL, Duration.ZERO);
    return CancelResult.CANCELED;
  }

  private void queued(VirtualJob job, int sign) {
    queuedMs.merge(job.wish.lane(), sign * job.wish.estimateMs(), Long::sum);
  }

  private void offer(VirtualJob job) {
    ready
        .computeIfAbsent(job.wish.tier().name(), tier -> new TreeMap<>())
        .computeIfAbsent(job.wish.user(), user -> new OfUser())
        .with(job)
        .add(job);
  }

  private void withdraw(VirtualJob job) {
    TreeMap<String, OfUser> users = ready.get(job.wish.tier().name());
    OfUser own = users == null ? null : users.get(job.wish.user());
    if (own != null && own.with(job).remove(job) && own.isEmpty()) {
      users.remove(job.wish.user());
    }
  }

  private void wakeAlarms() {
    while (!alarms.isEmpty() && alarms.peek().atMs() <= clock.nowMs()) {
      VirtualJob job = alarms.poll().job();
      if (job.free(clock.nowMs())) {
        offer(job);
      }
    }
  }

  @Override
  public ReadyPage ready(
      String tier, Set<String> models, Optional<String> afterUser, int usersMax, int perUser) {
    wakeAlarms();
    TreeMap<String, OfUser> users = ready.getOrDefault(tier, new TreeMap<>());
    List<ReadyJob> heads = new ArrayList<>();
    String last = "";
    int walked = 0;
    for (Map.Entry<String, OfUser> user : users.tailMap(afterUser.orElse(""), false).entrySet()) {
      if (walked++ == usersMax) {
        return new ReadyPage(heads, Optional.of(last));
      }
      last = user.getKey();
      Predicate<VirtualJob> asked = job -> models.contains(job.ready.model());
      Stream.of(user.getValue().normal(), user.getValue().relaxed())
          .flatMap(lane -> lane.stream().filter(asked).limit(perUser))
          .forEach(job -> heads.add(job.ready));
    }
    return new ReadyPage(heads, Optional.empty());
  }

  @Override
  public List<JobId> claim(Collection<JobId> ids, Duration claimTime) {
    List<JobId> claimed = new ArrayList<>();
    for (JobId id : ids) {
      VirtualJob job = jobs.get(id);
      if (job != null && job.free(clock.nowMs())) {
        job.claimedUntilMs = clock.nowMs() + claimTime.toMillis();
        alarms.add(new Alarm(job.claimedUntilMs + 1, job));
        withdraw(job);
        claimed.add(id);
      }
    }
    return claimed;
  }

  @Override
  public void unclaim(Collection<JobId> ids) {
    for (JobId id : ids) {
      VirtualJob job = jobs.get(id);
      if (job != null && job.state == JobState.QUEUED) {
        job.claimedUntilMs = -1;
        if (job.free(clock.nowMs())) {
          offer(job);
        }
      }
    }
  }

  @Override
  public Optional<Lease> lease(JobId id, String workerId, Duration leaseTime) {
    VirtualJob job = jobs.get(id);
    if (job == null) {
      return Optional.empty();
    }
    if (job.state == JobState.QUEUED && job.avoids(LeaseStore.node(workerId), clock.nowMs())) {
      job.claimedUntilMs = -1;
      job.notBeforeMs = clock.nowMs() + PASS_OVER_MS;
      alarms.add(new Alarm(job.notBeforeMs, job));
      return Optional.empty();
    }
    if (!job.move(JobAction.LEASE)) {
      return Optional.empty();
    }
    withdraw(job);
    queued(job, -1);
    job.attempt++;
    job.worker = workerId;
    job.claimedUntilMs = -1;
    if (job.firstLeaseMs < 0) {
      job.firstLeaseMs = clock.nowMs();
    }
    hold(job, leaseTime);
    return Optional.of(new Lease(job.job(), workerId, VirtualClock.at(job.leaseUntilMs)));
  }

  private void hold(VirtualJob job, Duration leaseTime) {
    job.leaseUntilMs = clock.nowMs() + leaseTime.toMillis();
    leases.add(new Alarm(job.leaseUntilMs, job));
  }

  /** The fence: the row, where this lease still owns it. */
  private Optional<VirtualJob> owned(Lease lease) {
    VirtualJob job = jobs.get(lease.jobId());
    if (job.attempt == lease.attempt() && job.state.leased()) {
      return Optional.of(job);
    }
    fenced++;
    return Optional.empty();
  }

  @Override
  public boolean start(Lease lease) {
    return owned(lease).map(job -> job.move(JobAction.START)).orElse(false);
  }

  @Override
  public Renewal renew(Lease lease, Duration leaseTime) {
    Optional<VirtualJob> job = owned(lease);
    if (job.isEmpty()) {
      return new Renewal.Lost();
    }
    hold(job.get(), leaseTime);
    return new Renewal.Held(VirtualClock.at(job.get().leaseUntilMs), job.get().cancelRequested);
  }

  @Override
  public boolean finish(Lease lease, List<ImageRecord> images, OptionalLong gpuMs) {
    Optional<VirtualJob> job = owned(lease);
    if (job.isEmpty() || !job.get().move(JobAction.SUCCEED)) {
      return false;
    }
    job.get().visible++;
    end(job.get());
    return true;
  }

  private void end(VirtualJob job) {
    job.finishedMs = clock.nowMs();
    job.leaseUntilMs = -1;
  }

  @Override
  public Optional<JobState> fail(Lease lease, JobFailure failure) {
    Optional<VirtualJob> owned = owned(lease);
    if (owned.isEmpty()) {
      return Optional.empty();
    }
    VirtualJob job = owned.get();
    job.errors++;
    JobAction action = retries.afterError(job.errors, failure.retryable(), job.cancelRequested);
    if (action != JobAction.CANCEL) {
      job.failure = Optional.of(failure);
    }
    again(job, action, retries.backoff(job.crashes + job.errors, random));
    return Optional.of(job.state);
  }

  private void again(VirtualJob job, JobAction action, Duration wait) {
    if (!job.move(action)) {
      throw new IllegalStateException(action + " from " + job.state);
    }
    if (job.state == JobState.QUEUED) {
      job.leaseUntilMs = -1;
      job.notBeforeMs = clock.nowMs() + wait.toMillis();
      alarms.add(new Alarm(job.notBeforeMs, job));
      queued(job, 1);
    } else {
      end(job);
    }
  }

  @Override
  public Instant now() {
    return clock.instant();
  }

  /** Nobody sets the clock of a simulation's store. */
  @Override
  public int shortenWaits() {
    return 0;
  }

  @Override
  public List<Job> reapLapsed(int limit) {
    List<Job> reaped = new ArrayList<>();
    while (!leases.isEmpty() && leases.peek().atMs() < clock.nowMs() && reaped.size() < limit) {
      VirtualJob job = leases.poll().job();
      if (job.state.leased() && job.leaseUntilMs < clock.nowMs()) {
        job.crashes++;
        JobAction action = retries.afterCrash(job.crashes, job.cancelRequested);
        if (action == JobAction.BURY) {
          job.failure = Optional.of(new JobFailure("job.crashes", "It crashed too often.", false));
        }
        Duration wait = retries.backoff(job.crashes + job.errors, random);
        job.avoid(LeaseStore.node(job.worker), clock.nowMs() + wait.plus(AVOID_TIME).toMillis());
        again(job, action, wait);
        reaped.add(job.job());
      }
    }
    return reaped;
  }

  @Override
  public List<Job> expireDue(int limit) {
    return List.of(); // No job here has a deadline of its own.
  }

  @Override
  public Map<String, Long> queuedByModel() {
    return Map.of(); // Only for the log; every model here has workers.
  }

  @Override
  public int forgetKeys(int limit) {
    return 0; // Nor an idempotency key.
  }

  @Override
  public int sweep(String tier, int limit) {
    return 0; // Retention is longer than any simulation.
  }

  @Override
  public boolean appendEvents(Lease lease, List<NewEvent> events) {
    return owned(lease).isPresent();
  }

  @Override
  public boolean finishCanceled(Lease lease) {
    Optional<VirtualJob> owned = owned(lease).filter(job -> job.cancelRequested);
    owned.ifPresent(job -> again(job, JobAction.CANCEL, Duration.ZERO));
    return owned.isPresent();
  }

  @Override
  public boolean release(Lease lease) {
    Optional<VirtualJob> owned = owned(lease);
    owned.ifPresent(
        job ->
            again(job, job.cancelRequested ? JobAction.CANCEL : JobAction.RELEASE, Duration.ZERO));
    return owned.isPresent();
  }
}

package dev.tintype.perf.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/**
 * What clients asked and were told, while it happens; thread-safe. What contradicts itself is a
 * {@link Violation} at once.
 */
final class History {
  /** What a violation breaks. */
  enum Promise {
    /** Accepted is never lost. */
    LOST,
    /** One submission is one job with one result. */
    DOUBLED,
    /** Only the holder of the lease writes. */
    FENCE,
    /** The same recipe is the same picture. */
    BYTES,
    /** Every refusal has a stable code and is one that a client can act on. */
    ANSWER,
    /** Everything ends within the bound once the faults are over. */
    BOUND
  }

  /**
   * @param text what was seen, with the job's id
   */
  record Violation(Promise promise, String text) {}

  /** A submission under its Idempotency-Key. */
  record Submission(String key, Recipe recipe) {}

  /** An entry of a job's log as a follower saw it; images only where it ended well. */
  record Seen(long attempt, String type, String payload) {}

  /**
   * @param seenNs when an answer first told of it, by System.nanoTime
   */
  private record End(String state, long seenNs) {}

  private static final int VIOLATIONS_MAX = 200;

  private final ConcurrentMap<String, Submission> submissions = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, String> jobs = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, Submission> accepted = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, End> ends = new ConcurrentHashMap<>();
  private final Set<String> withdrawn = ConcurrentHashMap.newKeySet();
  private final Set<String> cancelAsked = ConcurrentHashMap.newKeySet();
  private final ConcurrentMap<String, ConcurrentSkipListMap<Long, Seen>> logs =
      new ConcurrentHashMap<>();
  private final List<Violation> violations = new ArrayList<>();

  final AtomicLong requests = new AtomicLong();
  final AtomicLong retries = new AtomicLong();
  final AtomicLong replays = new AtomicLong();
  final AtomicLong lostAnswers = new AtomicLong();
  final AtomicLong refusals = new AtomicLong();
  final AtomicLong reconnects = new AtomicLong();
  final AtomicLong events = new AtomicLong();

  void asked(Submission submission) {
    submissions.put(submission.key(), submission);
  }

  /** A 202, the first one for this key or a later one. */
  void accepted(Submission submission, String jobId) {
    String before = jobs.putIfAbsent(submission.key(), jobId);
    if (before != null && !before.equals(jobId)) {
      violation(
          Promise.DOUBLED, "key " + submission.key() + " made job " + before + " and job " + jobId);
    }
    Submission other = accepted.putIfAbsent(jobId, submission);
    if (other != null && !other.key().equals(submission.key())) {
      violation(
          Promise.LOST, "keys " + other.key() + " and " + submission.key() + " share job " + jobId);
    }
  }

  /** The state of a job in an event, or in the answer to a question that is asked now. */
  void state(String jobId, String state) {
    state(jobId, state, System.nanoTime());
  }

  /**
   * The state of a job in an answer. One that was under way when another answer told of the end may
   * be older than the end.
   *
   * @param askedNs when the question was asked, by System.nanoTime
   */
  void state(String jobId, String state, long askedNs) {
    if (!terminal(state)) {
      End end = ends.get(jobId);
      if (end != null && askedNs - end.seenNs() >= 0) {
        violation(Promise.FENCE, "job " + jobId + " was " + end.state() + " and is " + state);
      }
      return;
    }
    End before = ends.putIfAbsent(jobId, new End(state, System.nanoTime()));
    if (before != null && !before.state().equals(state)) {
      violation(Promise.FENCE, "job " + jobId + " was " + before.state() + " and is " + state);
    }
  }

  static boolean terminal(String state) {
    return switch (state) {
      case "succeeded", "failed", "canceled", "expired", "dead" -> true;
      default -> false;
    };
  }

  /** A client is about to cancel the job; whether that arrives is open. */
  void cancelAsked(String jobId) {
    cancelAsked.add(jobId);
  }

  Set<String> cancelAsked() {
    return cancelAsked;
  }

  /** The API said that the job is withdrawn for good. */
  void withdrawn(String jobId) {
    withdrawn.add(jobId);
  }

  Set<String> withdrawn() {
    return withdrawn;
  }

  /** An event that a follower received. */
  void event(String jobId, long seq, Seen seen) {
    events.incrementAndGet();
    Seen before =
        logs.computeIfAbsent(jobId, id -> new ConcurrentSkipListMap<>()).putIfAbsent(seq, seen);
    if (before != null && !before.equals(seen)) {
      violation(
          Promise.FENCE,
          "job " + jobId + " event " + seq + " was " + before + " and later " + seen);
    }
  }

  Map<Long, Seen> log(String jobId) {
    return logs.getOrDefault(jobId, new ConcurrentSkipListMap<>());
  }

  synchronized void violation(Promise promise, String text) {
    if (violations.size() < VIOLATIONS_MAX) {
      violations.add(new Violation(promise, text));
    }
  }

  synchronized List<Violation> violations() {
    return List.copyOf(violations);
  }

  Map<String, Submission> accepted() {
    return accepted;
  }

  Optional<String> jobOf(Submission submission) {
    return Optional.ofNullable(jobs.get(submission.key()));
  }

  /** Submissions without an answer so far. */
  List<Submission> unanswered() {
    return submissions.values().stream().filter(one -> !jobs.containsKey(one.key())).toList();
  }

  /** Accepted jobs whose end nobody has seen yet. */
  List<String> open() {
    return accepted.keySet().stream().filter(id -> !ends.containsKey(id)).toList();
  }

  int ended() {
    return ends.size();
  }

  long endedAs(String state) {
    return ends.values().stream().filter(end -> end.state().equals(state)).count();
  }

  /** Any accepted submission. */
  Optional<Submission> any(RandomGenerator random) {
    List<Submission> all = List.copyOf(accepted.values());
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }
}

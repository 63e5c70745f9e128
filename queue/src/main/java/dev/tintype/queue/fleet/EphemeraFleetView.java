package dev.tintype.queue.fleet;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.ephemera.Ephemera;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what {@link WorkerPresence} writes, at most once in {@link #FRESH}, whoever asks how often;
 * while one caller reads, others get what was known before. While the memory is away, or came back
 * with nothing in it a moment ago, the last that was known counts.
 */
public final class EphemeraFleetView implements FleetView {
  private static final Logger LOG = LoggerFactory.getLogger(EphemeraFleetView.class);

  /** Age up to which an answer is given again. */
  static final Duration FRESH = Duration.ofSeconds(1);

  /**
   * All workers gone at once is a memory that was restarted rather than a fleet that died: for this
   * long, in which every living worker speaks, the former list counts.
   */
  static final Duration EMPTY_GRACE = Duration.ofSeconds(15);

  private final Ephemera ephemera;
  private final boolean shared;
  private final Clock clock;
  private final ReentrantLock reading = new ReentrantLock();
  private volatile Look look = new Look(List.of(), false, Optional.empty(), Optional.empty());

  /**
   * @param readAt of the last try
   * @param someAt when the list was last read and not empty
   */
  private record Look(
      List<WorkerStatus> workers,
      boolean known,
      Optional<Instant> readAt,
      Optional<Instant> someAt) {}

  /**
   * @param shared whether all workers of the platform write to this memory; false for a memory of
   *     this process alone, where only its own worker can be seen
   */
  public EphemeraFleetView(Ephemera ephemera, boolean shared, Clock clock) {
    this.ephemera = ephemera;
    this.shared = shared;
    this.clock = clock;
  }

  @Override
  public boolean known() {
    return fresh().known();
  }

  @Override
  public List<WorkerStatus> workers() {
    return fresh().workers();
  }

  @Override
  public FleetView still() {
    Look now = fresh();
    return new Still(now.known(), now.workers());
  }

  private Look fresh() {
    Look before = look;
    Instant now = clock.instant();
    // A clock that was set back would make a look young for ever; hence the absolute difference.
    boolean young =
        before.readAt().isPresent()
            && Duration.between(before.readAt().get(), now).abs().compareTo(FRESH) < 0;
    if (young) {
      return before;
    }
    if (before.readAt().isEmpty()) {
      reading.lock(); // The first look: there is nothing to give meanwhile.
    } else if (!reading.tryLock()) {
      return before;
    }
    try {
      if (look == before) {
        look = read(before, now);
      }
      return look;
    } finally {
      reading.unlock();
    }
  }

  private Look read(Look before, Instant now) {
    Optional<Instant> readAt = Optional.of(now);
    try {
      List<WorkerStatus> found =
          ephemera.list(WorkerPresence.FOLDER).values().stream()
              .limit(WORKERS_MAX)
              .map(WorkerStatusJson::read)
              .flatMap(Optional::stream)
              .sorted(Comparator.comparing(WorkerStatus::id))
              .toList();
      if (!found.isEmpty()) {
        return new Look(found, true, readAt, readAt);
      }
      if (shared && justHadSome(before, now)) {
        return new Look(before.workers(), true, readAt, before.someAt());
      }
      return new Look(List.of(), shared, readAt, Optional.empty());
    } catch (QueueException e) {
      LOG.debug("The fleet stays as it was seen: {}", e.getMessage());
      return new Look(before.workers(), before.known(), readAt, before.someAt());
    }
  }

  private static boolean justHadSome(Look before, Instant now) {
    return before
        .someAt()
        .filter(at -> Duration.between(at, now).abs().compareTo(EMPTY_GRACE) < 0)
        .isPresent();
  }
}

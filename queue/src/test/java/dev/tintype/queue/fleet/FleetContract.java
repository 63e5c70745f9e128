package dev.tintype.queue.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What workers say and relays read, over every memory. */
@Timeout(120)
abstract class FleetContract {
  /** So long that nothing runs out while a test runs. */
  static final Duration CALM = Duration.ofMinutes(5);

  private final MovableClock viewClock = new MovableClock();
  private Ephemera ephemera;

  /** An empty one. */
  abstract Ephemera open();

  /** Lets at least that time pass for the memory. */
  abstract void pass(Duration time);

  @BeforeEach
  void begin() {
    ephemera = open();
  }

  @AfterEach
  void end() {
    ephemera.close();
  }

  static WorkerStatus worker(String id, WorkerState state, String... models) {
    return workerOf(Tier.SHARED, id, state, models);
  }

  private static WorkerStatus workerOf(
      String pool, String id, WorkerState state, String... models) {
    return new WorkerStatus(
        id,
        "host",
        "paper",
        1_000,
        400,
        new TreeSet<>(Set.of(models)),
        new TreeSet<>(Set.of(models[0])),
        12.5,
        1,
        4,
        state,
        "0.1",
        pool);
  }

  private WorkerPresence presence(WorkerStatus status, Duration heartbeat) {
    return new WorkerPresence(ephemera, status.id(), () -> status, heartbeat).start();
  }

  private EphemeraFleetView view(boolean shared) {
    return new EphemeraFleetView(ephemera, shared, viewClock);
  }

  /** Looks anew until it holds; the contract's timeout bounds it. */
  private void until(BooleanSupplier holds) {
    while (!holds.getAsBoolean()) {
      viewClock.advance(EphemeraFleetView.FRESH);
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
  }

  @Test
  void whatAWorkerSaysIsReadWhole() {
    WorkerStatus said = worker("häuschen #7", WorkerState.READY, "a", "b c");
    FleetView view = view(true);
    try (WorkerPresence there = presence(said, CALM)) {
      until(() -> view.workers().equals(List.of(said)));
    }
    assertThat(view.known()).isTrue();
  }

  @Test
  void onlyReadyWorkersThatServeAModelCountForIt() {
    FleetView view = view(true);
    try (WorkerPresence one = presence(worker("1", WorkerState.READY, "a", "b"), CALM);
        WorkerPresence two = presence(worker("2", WorkerState.READY, "a"), CALM);
        WorkerPresence three = presence(worker("3", WorkerState.DRAINING, "a"), CALM);
        WorkerPresence four = presence(worker("4", WorkerState.STARTING, "a"), CALM)) {
      until(() -> view.workers().size() == 4);
      assertThat(view.workersFor("a")).isEqualTo(2);
      assertThat(view.workersFor("b")).isEqualTo(1);
      assertThat(view.workersFor("c")).isZero();
    }
  }

  @Test
  void aWorkerThatClosesIsGoneAtOnce() {
    FleetView view = view(true);
    try (WorkerPresence stays = presence(worker("stays", WorkerState.READY, "a"), CALM)) {
      try (WorkerPresence leaves = presence(worker("leaves", WorkerState.READY, "a"), CALM)) {
        until(() -> view.workers().size() == 2);
      }
      until(() -> view.workers().size() == 1);
      assertThat(view.workers().getFirst().id()).isEqualTo("stays");
    }
  }

  @Test
  void aWorkerThatIsSilentForThreeHeartbeatsIsForgotten() {
    Duration time = Duration.ofMillis(50).multipliedBy(WorkerPresence.HEARTBEATS_KEPT);
    ephemera.put(
        WorkerPresence.FOLDER + "silent",
        WorkerStatusJson.write(worker("silent", WorkerState.READY, "a")),
        time);
    pass(time.plusMillis(1));
    assertThat(view(true).workers()).isEmpty();
  }

  @Test
  void whatChangedIsSaidBeforeTheNextHeartbeat() {
    WorkerStatus[] now = {worker("1", WorkerState.STARTING, "a")};
    FleetView view = view(true);
    try (WorkerPresence there = new WorkerPresence(ephemera, "1", () -> now[0], CALM).start()) {
      until(() -> view.workers().size() == 1);
      now[0] = worker("1", WorkerState.READY, "a");
      there.changed();
      until(() -> view.workersFor("a") == 1);
    }
  }

  @Test
  void anAnswerIsGivenAgainForASecond() {
    FleetView view = view(true);
    assertThat(view.workers()).isEmpty();
    ephemera.put(
        WorkerPresence.FOLDER + "1",
        WorkerStatusJson.write(worker("1", WorkerState.READY, "a")),
        CALM);
    assertThat(view.workers()).isEmpty();
    viewClock.advance(EphemeraFleetView.FRESH);
    assertThat(view.workers()).hasSize(1);
  }

  @Test
  void whatIsNoStatusIsLeftOut() {
    ephemera.put(WorkerPresence.FOLDER + "x", "{\"id\":".getBytes(StandardCharsets.UTF_8), CALM);
    ephemera.put(
        WorkerPresence.FOLDER + "y",
        "{\"id\":\"y\",\"state\":\"dancing\",\"jobs_max\":1}".getBytes(StandardCharsets.UTF_8),
        CALM);
    assertThat(view(true).workers()).isEmpty();
  }

  @Test
  void withoutASharedMemoryNothingIsKnownUntilAWorkerIsHere() {
    FleetView view = view(false);
    assertThat(view.known()).isFalse();
    assertThat(view.workersFor("a")).isEqualTo(1);
    try (WorkerPresence here = presence(worker("1", WorkerState.STARTING, "a"), CALM)) {
      until(view::known);
      assertThat(view.workersFor("a")).isZero();
    }
  }

  @Test
  void theLastThatWasKnownCountsWhileTheMemoryIsAway() {
    FleetView view = view(true);
    assertThat(view.workersFor("a")).isZero();
    ephemera.put(
        WorkerPresence.FOLDER + "1",
        WorkerStatusJson.write(worker("1", WorkerState.READY, "a")),
        CALM);
    viewClock.advance(EphemeraFleetView.FRESH);
    assertThat(view.workersFor("a")).isEqualTo(1);
    ephemera.close();
    viewClock.advance(Duration.ofHours(1));
    assertThat(view.workersFor("a")).isEqualTo(1);
    ephemera = open();
  }

  @Test
  void aMemoryThatCameBackEmptyIsNotBelievedForAWhile() {
    FleetView view = view(true);
    byte[] said = WorkerStatusJson.write(worker("1", WorkerState.READY, "a"));
    ephemera.put(WorkerPresence.FOLDER + "1", said, CALM);
    assertThat(view.workersFor("a")).isEqualTo(1);
    ephemera.remove(WorkerPresence.FOLDER + "1");
    viewClock.advance(EphemeraFleetView.FRESH);
    assertThat(view.workersFor("a")).isEqualTo(1);
    viewClock.advance(EphemeraFleetView.EMPTY_GRACE);
    assertThat(view.workersFor("a")).isZero();
  }

  @Test
  void nothingIsKnownBeforeTheFirstAnswer() {
    ephemera.close();
    FleetView view = view(true);
    assertThat(view.known()).isFalse();
    assertThat(view.workersFor("a")).isEqualTo(1);
    ephemera = open();
  }

  @Test
  void poolsAreCountedApart() {
    try (WorkerPresence shared = presence(worker("1", WorkerState.READY, "a"), CALM);
        WorkerPresence gold = presence(workerOf("gold", "2", WorkerState.READY, "a"), CALM)) {
      EphemeraFleetView view = view(true);
      until(() -> view.workers().size() == 2);
      assertThat(view.workersFor("gold", "a")).isEqualTo(1);
      assertThat(view.workersFor("a")).isEqualTo(1);
      Tier tier = new Tier("t", 1, CALM, 1, 1, CALM, TierClass.NORMAL).inPool("gold", true);
      assertThat(view.workersFor(tier, "a")).isEqualTo(2);
      assertThat(view.places()).containsExactly(new Place("gold", "a"), Place.shared("a"));
      assertThat(Workforce.of(view, Map::of).byPool())
          .isEqualTo(
              Map.of(
                  "gold",
                  new Workforce.Capacity(4, Map.of("a", 4)),
                  Tier.SHARED,
                  new Workforce.Capacity(4, Map.of("a", 4))));
    }
  }
}

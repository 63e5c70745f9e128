package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.NewEvent;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LiveEventHubTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  private TestDatabase db;
  private LiveEventHub hub;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
    hub = LiveEventHub.start(db.store, db.signals);
  }

  @AfterEach
  void close() {
    hub.close();
    db.close();
  }

  private static List<JobEvent> follow(EventHub hub, JobId id, long after)
      throws InterruptedException {
    List<JobEvent> seen = new ArrayList<>();
    try (EventFeed feed = hub.follow(id, after)) {
      while (seen.isEmpty() || !seen.getLast().type().terminal()) {
        List<JobEvent> more = feed.next(SOON);
        assertThat(more).as("events after %s", seen.size()).isNotEmpty();
        seen.addAll(more);
      }
    }
    return seen;
  }

  private void run(Job job, int steps) {
    Lease lease = db.store.lease(job.id(), "w", Duration.ofSeconds(15)).orElseThrow();
    db.store.start(lease);
    for (int step = 1; step <= steps; step++) {
      assertThat(db.store.appendEvents(lease, List.of(NewEvent.progress(step, steps)))).isTrue();
    }
    db.store.finish(
        lease, List.of(new ImageRecord(0, "a".repeat(64), 8, 8, 1, 1, Optional.empty())));
  }

  @Test
  void manyFollowersSeeEveryEventOnceInOrder() throws Exception {
    Job job = db.submit("ann");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<JobEvent>>> followers =
          IntStream.range(0, 20)
              .mapToObj(i -> threads.submit(() -> follow(hub, job.id(), i % 2)))
              .toList();
      run(job, 400);
      for (int i = 0; i < 20; i++) {
        assertThat(followers.get(i).get().stream().map(JobEvent::seq))
            .containsExactlyElementsOf(LongStream.rangeClosed(i % 2 + 1, 404).boxed().toList());
      }
    }
  }

  @Test
  void aLateFollowerGetsTheWholeLog() throws Exception {
    Job job = db.submit("ann");
    run(job, 300);
    assertThat(follow(hub, job.id(), 0)).hasSize(304);
    assertThat(follow(hub, job.id(), 303))
        .extracting(JobEvent::type)
        .containsExactly(EventType.SUCCEEDED);
  }

  @Test
  void anotherProcessHearsThroughTheDatabase() throws Exception {
    Job job = db.submit("ann");
    try (PostgresSignals otherSignals = PostgresSignals.start(db.database, new SecureRandom());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      PostgresJobStore otherStore =
          new PostgresJobStore(
              db.database,
              otherSignals,
              RetryPolicy.DEFAULT,
              Clock.systemUTC(),
              new SecureRandom());
      try (LiveEventHub other = LiveEventHub.start(otherStore, otherSignals)) {
        Future<List<JobEvent>> follower = threads.submit(() -> follow(other, job.id(), 0));
        run(job, 5);
        assertThat(follower.get()).hasSize(9);
      }
    }
  }

  @Test
  void silenceAndCloseEndAWait() throws Exception {
    Job job = db.submit("ann");
    EventFeed feed = hub.follow(job.id(), 1);
    assertThat(feed.next(Duration.ofMillis(1))).isEmpty();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<List<JobEvent>> waiting = threads.submit(() -> feed.next(Duration.ofHours(1)));
      hub.close();
      assertThat(waiting.get()).isEmpty();
    }
    assertThat(feed.closed()).isTrue();
  }

  @Test
  void aMadeUpPositionIsTheEndOfTheLog() throws Exception {
    Job job = db.submit("ann");
    try (EventFeed feed = hub.follow(job.id(), 1_000_000)) {
      db.store.cancel("ann", job.id());
      assertThat(feed.next(SOON)).extracting(JobEvent::type).containsExactly(EventType.CANCELED);
    }
  }
}

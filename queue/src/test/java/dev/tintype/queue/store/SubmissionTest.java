package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SubmissionTest {
  private static TestDatabase db;

  @BeforeAll
  static void open() {
    db = TestDatabase.create();
  }

  @AfterAll
  static void close() {
    db.close();
  }

  private static SubmitRequest keyed(String user, String key, String body) {
    return new SubmitRequest(
        user, "pro", TestDatabase.spec(1), Optional.of(key), body, false, Optional.empty(), 100);
  }

  private static SubmitRequest joining(String user, String body) {
    return new SubmitRequest(
        user, "pro", TestDatabase.spec(1), Optional.empty(), body, true, Optional.empty(), 100);
  }

  private static JobId jobOf(SubmitResult result) {
    return switch (result) {
      case SubmitResult.Accepted accepted -> accepted.job().id();
      case SubmitResult.Replayed replayed -> replayed.job().id();
      case SubmitResult.Conflict conflict -> throw new AssertionError(conflict);
      case SubmitResult.OverLimit over -> throw new AssertionError(over);
    };
  }

  private static List<SubmitResult> concurrently(int count, Callable<SubmitResult> submit)
      throws Exception {
    List<SubmitResult> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<SubmitResult> result :
          threads.invokeAll(IntStream.range(0, count).mapToObj(i -> submit).toList())) {
        results.add(result.get());
      }
    }
    return results;
  }

  @Test
  void anAcceptedJobIsWhatWasAsked() {
    Job job = db.submit("ann");
    assertThat(db.store.get(job.id())).contains(job);
    assertThat(job.state()).isEqualTo(JobState.QUEUED);
    assertThat(job.attempt()).isZero();
    assertThat(job.lastSeq()).isEqualTo(1);
    assertThat(db.store.events(job.id(), 0, 10))
        .singleElement()
        .satisfies(e -> assertThat(e.seq()).isEqualTo(1));
  }

  @Test
  void fiftySubmissionsWithOneKeyMakeOneJob() throws Exception {
    List<SubmitResult> results =
        concurrently(50, () -> db.store.submit(keyed("ann", "k-50", "body")));
    assertThat(results).filteredOn(SubmitResult.Accepted.class::isInstance).hasSize(1);
    assertThat(results.stream().map(SubmissionTest::jobOf).distinct()).hasSize(1);
  }

  @Test
  void fiftyJoiningSubmissionsMakeOneJob() throws Exception {
    List<SubmitResult> results = concurrently(50, () -> db.store.submit(joining("ann", "body-j")));
    assertThat(results).filteredOn(SubmitResult.Accepted.class::isInstance).hasSize(1);
    assertThat(results.stream().map(SubmissionTest::jobOf).distinct()).hasSize(1);
    assertThat(db.store.submit(joining("pam", "body-j"))).isInstanceOf(SubmitResult.Accepted.class);
    db.store.cancel("ann", jobOf(results.getFirst()));
    assertThat(db.store.submit(joining("ann", "body-j"))).isInstanceOf(SubmitResult.Accepted.class);
  }

  @Test
  void withoutKeyEqualBodiesAreTwoJobs() {
    SubmitRequest plain = SubmitRequest.plain("ann", "pro", TestDatabase.spec(1), "same", 100);
    assertThat(jobOf(db.store.submit(plain))).isNotEqualTo(jobOf(db.store.submit(plain)));
  }

  @Test
  void aKeyWithAnotherBodyConflictsAndKeysOfUsersAreApart() {
    JobId first = jobOf(db.store.submit(keyed("ann", "k-1", "one")));
    assertThat(db.store.submit(keyed("ann", "k-1", "two")))
        .isEqualTo(new SubmitResult.Conflict(first));
    assertThat(jobOf(db.store.submit(keyed("pam", "k-1", "two")))).isNotEqualTo(first);
    assertThat(db.store.submit(keyed("ann", "k-1", "one")))
        .isInstanceOf(SubmitResult.Replayed.class);
  }

  @Test
  void aKeyIsForgottenAfterADay() {
    JobId first = jobOf(db.store.submit(keyed("ann", "k-day", "one")));
    db.clockAhead(Duration.ofHours(25));
    try {
      JobId second = jobOf(db.store.submit(keyed("ann", "k-day", "two")));
      assertThat(second).isNotEqualTo(first);
      db.clockAhead(Duration.ofHours(50));
      assertThat(db.store.forgetKeys(1000)).isPositive();
      assertThat(db.store.forgetKeys(1000)).isZero();
    } finally {
      db.clockAhead(Duration.ZERO);
    }
  }

  @Test
  void aUserHasNoMoreOpenJobsThanTheTierAllows() {
    db.accounts.createUser("cat", "free", false);
    for (int i = 0; i < 20; i++) {
      db.store.submit(SubmitRequest.plain("cat", "free", TestDatabase.spec(i), "b" + i, 100));
    }
    SubmitRequest more =
        new SubmitRequest(
            "cat",
            "free",
            TestDatabase.spec(1),
            Optional.of("k"),
            "more",
            false,
            Optional.empty(),
            100);
    assertThat(db.store.submit(more)).isEqualTo(new SubmitResult.OverLimit(20));
    db.store.cancel("cat", db.store.list("cat", Optional.empty(), 1).getFirst().id());
    assertThat(db.store.submit(more)).isInstanceOf(SubmitResult.Accepted.class);
    assertThat(db.store.submit(more)).isInstanceOf(SubmitResult.Replayed.class);
  }

  private static SubmitResult plain(PostgresJobStore store, String user, int number) {
    return store.submit(
        SubmitRequest.plain(user, "free", TestDatabase.spec(number), "p" + number, 100));
  }

  /** Two processes, each with its own batches and connections. */
  @Test
  void theLimitHoldsHoweverManySubmitAtOnceInWhateverProcess() throws Exception {
    db.accounts.createUser("eve", "free", false);
    try (TestDatabase other = db.another()) {
      AtomicInteger number = new AtomicInteger();
      List<SubmitResult> results =
          concurrently(
              100,
              () -> {
                int mine = number.incrementAndGet();
                return plain(mine % 2 == 0 ? db.store : other.store, "eve", mine);
              });
      assertThat(results).filteredOn(SubmitResult.Accepted.class::isInstance).hasSize(20);
      assertThat(results).filteredOn(SubmitResult.OverLimit.class::isInstance).hasSize(80);
    }
    assertThat(db.store.list("eve", Optional.empty(), 100)).hasSize(20);
  }

  @Test
  void endsMakeRoomForJustAsMany() {
    db.accounts.createUser("fay", "free", false);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 20; i++) {
        assertThat(plain(db.store, "fay", i)).isInstanceOf(SubmitResult.Accepted.class);
      }
      assertThat(plain(db.store, "fay", 20)).isInstanceOf(SubmitResult.OverLimit.class);
      db.store.list("fay", Optional.empty(), 20).forEach(job -> db.store.cancel("fay", job.id()));
    }
  }

  @Test
  void aJobThatBeginsAgainCountsAgain() {
    db.accounts.createUser("gus", "free", false);
    JobId first = jobOf(plain(db.store, "gus", 0));
    db.database.call(
        c ->
            Sql.update(
                c, "UPDATE jobs SET state = 'dead', finished_at = now() WHERE id = ?", first));
    for (int i = 1; i <= 19; i++) {
      assertThat(plain(db.store, "gus", i)).isInstanceOf(SubmitResult.Accepted.class);
    }
    assertThat(db.store.redrive(first)).isTrue();
    assertThat(plain(db.store, "gus", 20)).isInstanceOf(SubmitResult.OverLimit.class);
    db.store.cancel("gus", first);
    assertThat(plain(db.store, "gus", 20)).isInstanceOf(SubmitResult.Accepted.class);
  }

  /** They travel together; each gets its own answer. */
  @Test
  void whatIsRefusedHarmsNobodyBesideIt() throws Exception {
    AtomicInteger number = new AtomicInteger();
    List<SubmitResult> results =
        concurrently(
            60,
            () -> {
              int mine = number.getAndIncrement();
              try {
                return switch (mine % 3) {
                  case 0 -> db.store.submit(keyed("pam", "beside", "body-" + mine % 2));
                  case 1 -> db.store.submit(keyed("nobody", "beside", "body"));
                  default -> db.store.submit(joining("pam", "beside-" + mine % 2));
                };
              } catch (QueueException.Invalid e) {
                return new SubmitResult.OverLimit(-1);
              }
            });
    assertThat(results).filteredOn(new SubmitResult.OverLimit(-1)::equals).hasSize(20);
    assertThat(results).filteredOn(SubmitResult.Accepted.class::isInstance).hasSize(3);
    assertThat(results).filteredOn(SubmitResult.Conflict.class::isInstance).hasSize(10);
    assertThat(results).filteredOn(SubmitResult.Replayed.class::isInstance).hasSize(27);
  }

  /** PostgreSQL takes no text with a NUL; that batch fails as a whole, and each is tried alone. */
  @Test
  void whatTheDatabaseRefusesHarmsNobodyBesideIt() throws Exception {
    AtomicInteger number = new AtomicInteger();
    List<SubmitResult> results =
        concurrently(
            40,
            () -> {
              int mine = number.getAndIncrement();
              String body = "refused-" + mine + (mine % 4 == 0 ? "\0" : "");
              try {
                return db.store.submit(
                    SubmitRequest.plain("pam", "pro", TestDatabase.spec(mine), body, 100));
              } catch (QueueException.Broken e) {
                return new SubmitResult.OverLimit(-1);
              }
            });
    assertThat(results).filteredOn(SubmitResult.Accepted.class::isInstance).hasSize(30);
    assertThat(
            results.stream()
                .filter(SubmitResult.Accepted.class::isInstance)
                .map(SubmissionTest::jobOf)
                .distinct())
        .hasSize(30);
  }

  @Test
  void listingPagesThroughAllJobsOnce() {
    db.accounts.createUser("dan", "pro", false);
    Set<JobId> submitted = new HashSet<>();
    IntStream.range(0, 7).forEach(i -> submitted.add(db.submit("dan").id()));
    List<JobId> listed = new ArrayList<>();
    Optional<JobId> before = Optional.empty();
    for (List<Job> page = db.store.list("dan", before, 3);
        !page.isEmpty();
        page = db.store.list("dan", before, 3)) {
      page.forEach(job -> listed.add(job.id()));
      before = Optional.of(listed.getLast());
    }
    assertThat(listed)
        .hasSize(7)
        .containsExactlyInAnyOrderElementsOf(submitted)
        .isSortedAccordingTo((a, b) -> b.compareTo(a));
  }

  @Test
  void strangersAndBadKeysAreRefused() {
    assertThatThrownBy(() -> db.submit("nobody"))
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("account.unknown"));
    assertThatThrownBy(() -> keyed("ann", "", "b"))
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("idempotency.key"));
  }

  @Test
  void keysOpenAccountsUntilRevoked() {
    String first = db.accounts.firstKey().orElseThrow();
    assertThat(db.accounts.firstKey()).isEmpty();
    Account admin = db.accounts.authenticate(first).orElseThrow();
    assertThat(admin.userId()).isEqualTo("admin");
    assertThat(admin.admin()).isTrue();
    assertThat(admin.tier().name()).isEqualTo("pro");

    String key = db.accounts.createKey("bob", "laptop");
    Account bob = db.accounts.authenticate(key).orElseThrow();
    assertThat(bob.userId()).isEqualTo("bob");
    assertThat(db.accounts.authenticate(key + "x")).isEmpty();
    assertThat(db.accounts.authenticate("")).isEmpty();
    assertThat(db.accounts.revokeKey("ann", bob.keyId())).isFalse();
    assertThat(db.accounts.revokeKey("bob", bob.keyId())).isTrue();
    assertThat(db.accounts.authenticate(key)).isEmpty();
    String stored =
        db.database.call(
            c ->
                Sql.query(
                        c,
                        row -> row.getString(1),
                        "SELECT string_agg(k::text, ' ') FROM api_keys k")
                    .getFirst());
    assertThat(stored).doesNotContain(first).doesNotContain(key);
    assertThat(db.accounts.tiers())
        .extracting(Tier::name)
        .containsExactly("free", "standard", "fast", "pro", "enterprise");
  }
}

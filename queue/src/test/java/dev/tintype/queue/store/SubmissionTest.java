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

package dev.tintype.queue.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.UploadRecord;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.PostgresBlobLedger;
import dev.tintype.queue.store.PostgresUploadStore;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.store.TestDatabase;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a sweep does over any blob store, with a real database. */
abstract class SweepContract {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration LEASE = Duration.ofSeconds(15);

  private final MovableClock clock = new MovableClock();
  private final List<String> gone = new ArrayList<>();
  private boolean derivedAway;
  private TestDatabase db;
  private PostgresBlobLedger ledger;
  private PostgresUploadStore uploads;
  private BlobStore blobs;
  private Duration ahead = Duration.ZERO;

  /** An empty store. */
  abstract BlobStore open() throws IOException;

  @BeforeEach
  void start() throws IOException {
    clock.advance(Duration.between(clock.instant(), Instant.now()));
    db = TestDatabase.create();
    ledger = new PostgresBlobLedger(db.database);
    uploads = new PostgresUploadStore(db.database);
    blobs = open();
  }

  @AfterEach
  void stop() {
    db.close();
  }

  private BlobSweep sweep() {
    return sweep(1000);
  }

  private BlobSweep sweep(int pageBlobs) {
    SweepConfig d = SweepConfig.DEFAULT;
    return new BlobSweep(
        blobs,
        ledger,
        new SweepConfig(
            d.grace(), d.coldAfter(), pageBlobs, d.coolMax(), d.turnEvery(), d.walkEvery()),
        clock,
        sha256 -> {
          if (derivedAway) {
            throw new QueueException.Blob("blob.io", "The store of variants is away.", null);
          }
          gone.add(sha256);
        });
  }

  /** Later for the database and for the sweep; the stores' own times stay. */
  private void later(Duration time) {
    ahead = ahead.plus(time);
    db.clockAhead(ahead);
    clock.advance(time);
  }

  private static byte[] picture(int seed) {
    byte[] bytes = new byte[100 + seed];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private String put(int seed) {
    return blobs.put(picture(seed));
  }

  private Job submit(String user, String tier, JobSpec spec) {
    SubmitRequest request =
        SubmitRequest.plain(user, tier, spec, "f" + spec.seed() + tier + user, 100);
    return ((SubmitResult.Accepted) db.store.submit(request)).job();
  }

  /** A finished job with those pictures. */
  private void paint(String user, String tier, String... sha256s) {
    Job job = submit(user, tier, TestDatabase.spec(sha256s.hashCode() & 0xffff));
    Lease lease = db.store.lease(job.id(), "worker", LEASE).orElseThrow();
    db.store.start(lease);
    List<ImageRecord> images = new ArrayList<>();
    for (String sha256 : sha256s) {
      images.add(new ImageRecord(images.size(), sha256, 64, 64, 1, 100, Optional.empty()));
    }
    assertThat(db.store.finish(lease, images, OptionalLong.empty())).isTrue();
  }

  private void upload(String user, String sha256) {
    assertThat(uploads.add(user, new UploadRecord(sha256, "image/png", 64, 64, 100))).isTrue();
  }

  @Test
  void whatWasMadeOfAPictureGoesAlsoWhereThatFailsAtFirst() {
    String alone = put(1);
    paint("ann", "free", alone);
    later(DAY.multipliedBy(8));
    assertThat(db.store.sweep("free", 100)).isEqualTo(1);
    later(Duration.ofMinutes(6));
    derivedAway = true;
    assertThatThrownBy(() -> sweep().released()).isInstanceOf(QueueException.Blob.class);
    assertThat(blobs.exists(alone)).as("so that all is tried again").isTrue();
    derivedAway = false;
    later(Duration.ofHours(2));
    assertThat(sweep().released().orphans()).isEqualTo(1);
    assertThat(blobs.exists(alone)).isFalse();
    assertThat(gone).containsOnly(alone);
  }

  @Test
  void anExpiredPictureGoesUnlessAnotherRowNamesIt() {
    String alone = put(1);
    String painted = put(2);
    String sent = put(3);
    paint("bob", "free", alone, painted, sent);
    paint("pam", "pro", painted);
    upload("pam", sent);
    later(DAY.multipliedBy(8));
    assertThat(db.store.sweep("free", 100)).isEqualTo(1);
    assertThat(sweep().released())
        .as("nothing is released yet for five minutes")
        .isEqualTo(Tally.NONE);
    later(Duration.ofMinutes(6));
    assertThat(sweep().released()).isEqualTo(Tally.orphan(101));
    assertThat(blobs.exists(alone)).isFalse();
    assertThat(gone).as("what was made of it, before and after").containsOnly(alone);
    assertThat(blobs.exists(painted)).isTrue();
    assertThat(blobs.exists(sent)).isTrue();
    later(DAY.multipliedBy(366));
    assertThat(db.store.sweep("pro", 100)).isEqualTo(1);
    assertThat(ledger.expireUploads(100)).isEqualTo(1);
    later(Duration.ofMinutes(6));
    assertThat(sweep().released()).isEqualTo(Tally.orphan(102).plus(Tally.orphan(103)));
    assertThat(blobs.list("", 10)).isEmpty();
    later(DAY);
    assertThat(sweep().released()).isEqualTo(Tally.NONE);
  }

  @Test
  void whatIsForgottenOfAUserGoesAndTheOthersKeepTheirs() {
    String own = put(1);
    String shared = put(2);
    upload("ann", own);
    upload("ann", shared);
    paint("bob", "free", shared);
    paint("ann", "standard", own);
    assertThat(db.administration.forget("ann")).isEqualTo(3);
    assertThat(db.administration.forget("ann")).isZero();
    later(Duration.ofMinutes(6));
    assertThat(sweep().released()).as("young, so it waits").isEqualTo(Tally.young(101));
    later(DAY);
    assertThat(sweep().released()).isEqualTo(Tally.orphan(101));
    assertThat(blobs.exists(own)).isFalse();
    assertThat(blobs.exists(shared)).isTrue();
  }

  @Test
  void thePicturesOfAnOpenJobStayAndGoWithIt() {
    String init = put(1);
    String mask = put(2);
    upload("ann", init);
    upload("ann", mask);
    Job job =
        submit(
            "ann",
            "standard",
            JobSpec.builder("tintype-mini", "\"init_image\":\"" + "a".repeat(64))
                .initImage(init)
                .maskImage(mask)
                .build());
    later(DAY.multipliedBy(40));
    assertThat(ledger.expireUploads(100)).as("the job needs them").isZero();
    assertThat(db.administration.forget("ann")).as("the uploads, not the open job").isEqualTo(2);
    later(Duration.ofMinutes(6));
    assertThat(sweep().released()).isEqualTo(Tally.NONE);
    assertThat(sweep().walk("", false).tally().orphans()).isZero();
    db.store.cancel("ann", job.id());
    assertThat(db.administration.forget("ann")).isEqualTo(1);
    later(Duration.ofMinutes(6));
    assertThat(sweep().released().orphans()).isEqualTo(2);
    assertThat(blobs.list("", 10)).isEmpty();
  }

  @Test
  void theWalkFindsWhatNeverGotARowAndGoesOnAfterARestart() {
    List<String> orphans = IntStream.range(0, 8).mapToObj(this::put).toList();
    String named = put(8);
    upload("ann", named);
    assertThat(sweep(3).turn().young()).as("a row may be under way").isEqualTo(3);
    later(DAY.multipliedBy(2));
    int turns = 0;
    Tally tally = Tally.NONE;
    for (; tally.seen() < 6; turns++) {
      tally = tally.plus(sweep(3).turn()); // Each time as in another process.
      assertThat(sweep(3).turn()).as("the turn is not due").isEqualTo(Tally.NONE);
      later(Duration.ofSeconds(11));
    }
    assertThat(turns).isEqualTo(2);
    assertThat(sweep(3).turn()).as("the end, and then a day's rest").isEqualTo(Tally.NONE);
    later(Duration.ofHours(1));
    assertThat(sweep(3).turn()).isEqualTo(Tally.NONE);
    for (turns = 0; turns < 20; turns++) {
      later(DAY);
      sweep(3).turn();
    }
    assertThat(orphans).noneMatch(blobs::exists);
    assertThat(blobs.exists(named)).isTrue();
  }

  @Test
  void aDryRunCountsAndChangesNothing() {
    put(1);
    String named = put(2);
    upload("ann", named);
    sweep().checkOwner();
    assertThat(blobs.owner()).isEmpty();
    later(DAY.multipliedBy(2));
    BlobSweep.Page page = sweep().walk("", true);
    assertThat(page.tally()).isEqualTo(new Tally(2, 203, 1, 101, 0, 0, 0));
    assertThat(sweep().walk(page.position(), true).end()).isTrue();
    assertThat(blobs.list("", 10)).hasSize(2);
  }

  @Test
  void picturesOfAnotherDatabaseAreLeftAlone() {
    String theirs = put(1);
    later(DAY.multipliedBy(2));
    assertRefused();
    upload("ann", theirs);
    sweep().turn();
    assertThat(blobs.owner()).hasValue(ledger.installation());
    try (TestDatabase other = TestDatabase.create()) {
      BlobSweep stranger =
          new BlobSweep(blobs, new PostgresBlobLedger(other.database), SweepConfig.DEFAULT, clock);
      assertThatThrownBy(stranger::turn).isInstanceOf(QueueException.Refused.class);
      assertThat(blobs.exists(theirs)).isTrue();
      stranger.own();
      assertRefused();
      stranger.turn();
      assertThat(blobs.exists(theirs)).isFalse();
    }
  }

  private void assertRefused() {
    assertThatThrownBy(sweep()::turn)
        .isInstanceOfSatisfying(
            QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo("sweep.owner"));
  }
}

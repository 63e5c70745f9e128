package dev.tintype.queue.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.store.BlobLedger;
import dev.tintype.queue.store.PostgresBlobLedger;
import dev.tintype.queue.store.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectorySweepTest extends SweepContract {
  @TempDir Path folder;

  @Override
  BlobStore open() {
    return new DirectoryBlobStore(folder.resolve("blobs"));
  }

  /** Lets a writer put the bytes between the question to the database and the deletion. */
  private record Interrupted(BlobLedger ledger, Runnable writer) implements BlobLedger {
    @Override
    public Set<String> named(Collection<String> sha256s) {
      Set<String> named = ledger.named(sha256s);
      writer.run();
      return named;
    }

    @Override
    public String installation() {
      return ledger.installation();
    }

    @Override
    public List<Released> takeReleased(int limit) {
      return ledger.takeReleased(limit);
    }

    @Override
    public void settle(Collection<Released> released) {
      ledger.settle(released);
    }

    @Override
    public int expireUploads(int limit) {
      return ledger.expireUploads(limit);
    }

    @Override
    public Optional<Turn> takeTurn(Duration hold) {
      return ledger.takeTurn(hold);
    }

    @Override
    public void endTurn(Turn turn, String position, Duration pause) {
      ledger.endTurn(turn, position, pause);
    }
  }

  @Test
  void aBlobThatIsPutDuringTheSweepStays() throws IOException {
    BlobStore blobs = open();
    byte[] picture = {1, 2, 3};
    String name = blobs.put(picture);
    try (TestDatabase db = TestDatabase.create()) {
      BlobLedger ledger = new PostgresBlobLedger(db.database);
      for (Runnable writer : List.<Runnable>of(() -> blobs.put(picture), () -> {})) {
        age(blobs, name);
        BlobSweep sweep =
            new BlobSweep(
                blobs, new Interrupted(ledger, writer), SweepConfig.DEFAULT, Clock.systemUTC());
        long gone = sweep.walk("", false).tally().orphans();
        assertThat(blobs.exists(name)).isEqualTo(gone == 0);
      }
      assertThat(blobs.exists(name)).as("nobody put it in the second walk").isFalse();
    }
  }

  private static void age(BlobStore blobs, String name) throws IOException {
    Files.setLastModifiedTime(
        blobs.file(name).orElseThrow(), FileTime.from(Instant.now().minus(Duration.ofDays(2))));
  }

  @Test
  void theThreadTidiesAndSweepsByItself() throws Exception {
    BlobStore blobs = open();
    CountDownLatch tidied = new CountDownLatch(1);
    try (TestDatabase db = TestDatabase.create();
        Sweeper sweeper =
            new Sweeper(
                    new BlobSweep(
                        blobs,
                        new PostgresBlobLedger(db.database),
                        SweepConfig.DEFAULT,
                        Clock.systemUTC()),
                    tidied::countDown)
                .start()) {
      assertThat(tidied.await(60, TimeUnit.SECONDS)).isTrue();
      Instant deadline = Instant.now().plusSeconds(60);
      while (blobs.owner().isEmpty() && Instant.now().isBefore(deadline)) {
        Thread.onSpinWait();
      }
      assertThat(blobs.owner()).isPresent();
    }
  }
}

package dev.tintype.worker.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobId;
import dev.tintype.worker.checkpoint.Checkpoint.Content;
import dev.tintype.worker.engine.PaintingState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The form of a checkpoint, and the places that keep it. */
class CheckpointsTest {
  private static final byte[] OURS = CheckpointCodec.fingerprint("1.0", "model", "cpu", "{}");
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-11-26T12:00:00Z"), ZoneOffset.UTC);
  private static final RandomGenerator RANDOM =
      RandomGeneratorFactory.of("L64X128MixRandom").create(1);

  @TempDir Path folder;

  private static Checkpoint unfinished(int index, int step) {
    return new Checkpoint(
        index,
        3,
        new Content.Unfinished(
            new PaintingState(
                step, new float[] {1, -0f, 3.5f}, Optional.of(new float[] {4, 5, 6}))));
  }

  private static JobId job() {
    return JobId.next(CLOCK, RANDOM);
  }

  @Test
  void whatIsWrittenIsRead() {
    Checkpoint read =
        CheckpointCodec.read(CheckpointCodec.write(unfinished(2, 7), OURS), OURS).orElseThrow();
    assertThat(read.index()).isEqualTo(2);
    assertThat(read.attempt()).isEqualTo(3);
    PaintingState state = ((Content.Unfinished) read.content()).state();
    assertThat(state.step()).isEqualTo(7);
    assertThat(state.latents()).containsExactly(1, -0f, 3.5f);
    assertThat(state.history().orElseThrow()).containsExactly(4, 5, 6);
    for (Optional<String> thumb : List.of(Optional.of("abc="), Optional.<String>empty())) {
      ImageRecord image = new ImageRecord(1, "0".repeat(63) + "a", 8, 16, 99, 1234, thumb);
      Checkpoint stored = new Checkpoint(1, 2, new Content.Stored(image));
      assertThat(CheckpointCodec.read(CheckpointCodec.write(stored, OURS), OURS)).contains(stored);
    }
  }

  @Test
  void whatIsDamagedOrOfAnotherEngineIsNothing() {
    byte[] file = CheckpointCodec.write(unfinished(0, 7), OURS);
    for (int i = 0; i < file.length; i++) {
      byte[] damaged = file.clone();
      damaged[i] ^= 1;
      assertThat(CheckpointCodec.read(damaged, OURS)).as("byte %d", i).isEmpty();
      assertThat(CheckpointCodec.read(Arrays.copyOf(file, i), OURS)).as("torn at %d", i).isEmpty();
    }
    for (String[] other :
        List.of(
            new String[] {"1.1", "model", "cpu", "{}"},
            new String[] {"1.0", "model2", "cpu", "{}"},
            new String[] {"1.0", "mode", "lcpu", "{}"},
            new String[] {"1.0", "model", "cuda", "{}"},
            new String[] {"1.0", "model", "cpu", "{\"seed\":1}"})) {
      assertThat(CheckpointCodec.read(file, CheckpointCodec.fingerprint(other))).isEmpty();
    }
  }

  @Test
  void infinitiesAreNotGoneOnWith() {
    assertThat(new PaintingState(1, new float[] {1, Float.NaN}, Optional.empty()).finite())
        .isFalse();
    assertThat(
            new PaintingState(
                    1, new float[] {1}, Optional.of(new float[] {Float.POSITIVE_INFINITY}))
                .finite())
        .isFalse();
    assertThat(new PaintingState(1, new float[] {1}, Optional.empty()).finite()).isTrue();
  }

  @Test
  void bothPlacesKeepTheNewestOfEachPictureUntilTheJobEnds() {
    keeps(new FolderCheckpoints(folder, CLOCK));
    try (InProcessEphemera ephemera = new InProcessEphemera(CLOCK)) {
      keeps(new EphemeraCheckpoints(ephemera));
    }
  }

  private static void keeps(CheckpointStore store) {
    JobId one = job();
    JobId other = job();
    store.put(one, 0, new byte[] {1});
    store.put(one, 0, new byte[] {2});
    store.put(one, 11, new byte[] {3});
    store.put(other, 1, new byte[] {4});
    assertThat(store.of(one)).containsExactlyInAnyOrder(new byte[] {2}, new byte[] {3});
    store.remove(one, List.of(0, 11, 12));
    assertThat(store.of(one)).isEmpty();
    assertThat(store.of(other)).containsExactly(new byte[] {4});
  }

  @Test
  void whatNobodyFetchesIsCleared() throws Exception {
    JobId job = job();
    FolderCheckpoints store = new FolderCheckpoints(folder, CLOCK);
    store.put(job, 0, new byte[] {1});
    store.put(job, 1, new byte[] {2});
    Path old = folder.resolve(job + "_0");
    Files.setLastModifiedTime(
        old, FileTime.from(CLOCK.instant().minus(CheckpointStore.AGE_MAX).minusMillis(1)));
    assertThat(store.of(job)).containsExactly(new byte[] {2});
    assertThat(new FolderCheckpoints(folder, CLOCK).of(job)).hasSize(1);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
  }
}

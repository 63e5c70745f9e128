package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryBlobStoreTest extends BlobStoreContract {
  @TempDir Path folder;

  @Override
  BlobStore open() {
    return new DirectoryBlobStore(folder.resolve("blobs"));
  }

  @Test
  void fansOutAndLeavesNoTemporaryFiles() throws IOException {
    String name = open().put(bytes(10));
    Path place =
        folder
            .resolve("blobs")
            .resolve(name.substring(0, 2))
            .resolve(name.substring(2, 4))
            .resolve(name);
    try (Stream<Path> files = Files.walk(folder).filter(Files::isRegularFile)) {
      assertThat(files).containsExactly(place);
    }
  }

  @Test
  void aCutOffFileIsWrittenAnew() throws IOException {
    String name = open().put(bytes(10));
    Path place =
        folder
            .resolve("blobs")
            .resolve(name.substring(0, 2))
            .resolve(name.substring(2, 4))
            .resolve(name);
    Files.write(place, new byte[3]);
    open().put(bytes(10));
    assertThat(Files.readAllBytes(place)).isEqualTo(bytes(10));
  }

  @Test
  void aFileInPlaceOfTheFolderIsToldApart() throws IOException {
    Files.write(folder.resolve("blobs"), new byte[1]);
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.io"));
  }

  @Test
  void aFolderThatCannotBeWrittenIsToldApart() {
    Path system = Path.of("/proc/tintype-blobs");
    Assumptions.assumeTrue(Files.isDirectory(system.getParent()));
    assertThatThrownBy(() -> new DirectoryBlobStore(system))
        .isInstanceOf(QueueException.Blob.class);
  }

  @Test
  void aPutBesideASweepIsNeverLost() throws Exception {
    BlobStore blobs = open();
    byte[] picture = bytes(10);
    String name = blobs.put(picture);
    Path place = blobs.file(name).orElseThrow();
    Instant cut = Instant.now().minusSeconds(3600);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 200; round++) {
        Files.setLastModifiedTime(place, FileTime.from(cut.minusSeconds(60)));
        Future<Boolean> sweep = threads.submit(() -> blobs.delete(name, cut));
        Future<String> put = threads.submit(() -> blobs.put(picture));
        sweep.get();
        put.get();
        assertThat(blobs.exists(name)).as("round %d", round).isTrue();
      }
    }
  }

  @Test
  void tidyEndsWhatAKilledProcessBegan() throws IOException {
    BlobStore blobs = open();
    String name = blobs.put(bytes(10));
    Path place = blobs.file(name).orElseThrow();
    Path taken = place.resolveSibling("." + name + BlobTree.SWEPT);
    Files.move(place, taken);
    Path half = Files.write(place.resolveSibling(".1234" + BlobTree.NEW), new byte[3]);
    assertThat(blobs.tidy(Instant.now().minusSeconds(60))).isZero();
    assertThat(blobs.tidy(Instant.now().plusSeconds(60))).isEqualTo(2);
    assertThat(half).doesNotExist();
    assertThat(blobs.exists(name)).isTrue();
    assertThat(blobs.list("", 10)).extracting(BlobStore.Entry::sha256).containsExactly(name);
  }
}

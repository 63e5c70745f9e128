package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
}

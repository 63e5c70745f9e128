package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every blob store has to do. Each implementation's test extends this. */
abstract class BlobStoreContract {
  /** An empty store. */
  abstract BlobStore open() throws IOException;

  static byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatIsPutIsReadBackUnderItsDigest() throws IOException {
    BlobStore blobs = open();
    byte[] picture = bytes(100_000);
    String name = blobs.put(picture);
    assertThat(name).isEqualTo(Sha256.hex(picture));
    assertThat(blobs.put(picture)).isEqualTo(name);
    assertThat(blobs.exists(name)).isTrue();
    assertThat(blobs.size(name)).hasValue(100_000);
    try (InputStream in = blobs.open(name).orElseThrow()) {
      assertThat(in.readAllBytes()).isEqualTo(picture);
    }
    assertThat(blobs.delete(name)).isTrue();
    assertThat(blobs.delete(name)).isFalse();
    assertThat(blobs.exists(name)).isFalse();
    assertThat(blobs.open(name)).isEmpty();
  }

  @Test
  void manyWritersOfTheSameBytesAgree() throws Exception {
    BlobStore blobs = open();
    byte[] picture = bytes(500_000);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<String>> puts =
          IntStream.range(0, 16).<Callable<String>>mapToObj(i -> () -> blobs.put(picture)).toList();
      for (Future<String> name : threads.invokeAll(puts)) {
        assertThat(name.get()).isEqualTo(Sha256.hex(picture));
      }
    }
    try (InputStream in = blobs.open(Sha256.hex(picture)).orElseThrow()) {
      assertThat(in.readAllBytes()).isEqualTo(picture);
    }
  }

  @Test
  void namesThatAreNoDigestsAreRefused() throws IOException {
    BlobStore blobs = open();
    for (String name :
        List.of("", "../../etc/passwd", "A".repeat(64), "a".repeat(63), "a".repeat(63) + "/")) {
      assertThatThrownBy(() -> blobs.open(name))
          .isInstanceOfSatisfying(
              QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.key"));
    }
    assertThatThrownBy(() -> blobs.put(new byte[0]))
        .isInstanceOfSatisfying(
            QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.too_large"));
  }
}

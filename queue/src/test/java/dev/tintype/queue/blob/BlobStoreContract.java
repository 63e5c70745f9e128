package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
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
  void memoryForBytesIsAskedForBeforeItIsTaken() throws IOException {
    BlobStore blobs = open();
    byte[] picture = bytes(100_000);
    String name = blobs.put(picture);
    List<Long> asked = new ArrayList<>();
    assertThat(blobs.read(name, asked::add))
        .hasValueSatisfying(found -> assertThat(found).isEqualTo(picture));
    assertThat(asked).containsOnly(100_000L);
    IllegalStateException full = new IllegalStateException("full");
    assertThatThrownBy(
            () ->
                blobs.read(
                    name,
                    bytes -> {
                      throw full;
                    }))
        .isSameAs(full);
    assertThat(blobs.read(name, bytes -> {})).as("after a refusal").isPresent();
    assertThat(blobs.read(Sha256.hex(bytes(7)), asked::add)).isEmpty();
    assertThat(asked).containsOnly(100_000L);
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
  void pagesListEveryBlobOnceInOrder() throws IOException {
    BlobStore blobs = open();
    assertThat(blobs.list("", 10)).isEmpty();
    SortedMap<String, Long> put = new TreeMap<>();
    IntStream.rangeClosed(1, 23).forEach(size -> put.put(blobs.put(bytes(size)), (long) size));
    SortedMap<String, Long> listed = new TreeMap<>();
    String after = "";
    int pages = 0;
    for (List<BlobStore.Entry> page = blobs.list(after, 7);
        !page.isEmpty();
        page = blobs.list(after, 7)) {
      for (BlobStore.Entry entry : page) {
        assertThat(entry.sha256()).isGreaterThan(after);
        after = entry.sha256();
        listed.put(entry.sha256(), entry.bytes());
      }
      pages++;
    }
    assertThat(listed).isEqualTo(put);
    assertThat(pages).isEqualTo(4);
  }

  @Test
  void whatWasPutAgainIsNotSwept() throws IOException {
    BlobStore blobs = open();
    String name = blobs.put(bytes(10));
    Instant putAt = blobs.list("", 1).getFirst().putAt();
    assertThat(blobs.delete(name, putAt.minusMillis(1))).isFalse();
    assertThat(blobs.exists(name)).isTrue();
    // A store's clock may be as coarse as a second.
    while (!blobs.list("", 1).getFirst().putAt().isAfter(putAt)) {
      blobs.put(bytes(10));
    }
    assertThat(blobs.delete(name, putAt)).isFalse();
    assertThat(blobs.exists(name)).isTrue();
    Instant last = blobs.list("", 1).getFirst().putAt();
    assertThat(blobs.delete(name, last)).isTrue();
    assertThat(blobs.exists(name)).isFalse();
    assertThat(blobs.delete(name, last)).isFalse();
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

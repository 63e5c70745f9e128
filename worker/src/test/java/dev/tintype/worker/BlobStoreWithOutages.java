package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/** A real store whose bucket cannot be reached at times. */
final class BlobStoreWithOutages implements BlobStore {
  private final BlobStore store;
  final AtomicInteger refused = new AtomicInteger();
  volatile boolean away;

  BlobStoreWithOutages(BlobStore store) {
    this.store = store;
  }

  @Override
  public String put(byte[] bytes) {
    if (away) {
      refused.incrementAndGet();
      throw new QueueException.Blob("blob.io", "The bucket cannot be reached.", null);
    }
    return store.put(bytes);
  }

  @Override
  public Optional<String> owner() {
    return store.owner();
  }

  @Override
  public void own(String installation) {
    store.own(installation);
  }

  @Override
  public Optional<InputStream> open(String sha256) {
    return store.open(sha256);
  }

  @Override
  public OptionalLong size(String sha256) {
    return store.size(sha256);
  }

  @Override
  public boolean delete(String sha256) {
    return store.delete(sha256);
  }

  @Override
  public boolean delete(String sha256, Instant notPutSince) {
    return store.delete(sha256, notPutSince);
  }

  @Override
  public List<Entry> list(String after, int limit) {
    return store.list(after, limit);
  }
}

package dev.tintype.node;

import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.DerivedStore;
import java.io.IOException;
import java.util.Optional;

/** The edges' shared variants, in the bucket of the originals. */
final class StoredVariants implements SharedVariants {
  private final DerivedStore store;

  StoredVariants(DerivedStore store) {
    this.store = store;
  }

  @Override
  public Optional<byte[]> get(String sha256, String id) throws IOException {
    try {
      return store.get(sha256, id);
    } catch (QueueException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void put(String sha256, String id, ImageFormat format, byte[] bytes) throws IOException {
    if (bytes.length > DerivedStore.BYTES_MAX) {
      return;
    }
    try {
      store.put(sha256, id, format.mediaType(), bytes);
    } catch (QueueException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void forget(String sha256) throws IOException {
    try {
      store.forget(sha256);
    } catch (QueueException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}

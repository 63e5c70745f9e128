package dev.tintype.node;

import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongConsumer;

/** The edge's originals over the blob store. A blob in a folder does not pass through the heap. */
final class BlobOriginals implements Originals {
  private final BlobStore blobs;

  BlobOriginals(BlobStore blobs) {
    this.blobs = blobs;
  }

  @Override
  public Optional<OriginalImage> open(String sha256) throws IOException {
    return open(sha256, bytes -> {});
  }

  @Override
  public Optional<OriginalImage> open(String sha256, LongConsumer admission) throws IOException {
    try {
      Optional<Path> file = blobs.file(sha256);
      if (file.isPresent()) {
        return file.map(OriginalImage.InFile::new);
      }
      return blobs.read(sha256, admission).map(OriginalImage.InMemory::new);
    } catch (QueueException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public boolean exists(String sha256) throws IOException {
    try {
      return blobs.exists(sha256);
    } catch (QueueException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}

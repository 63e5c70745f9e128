package dev.tintype.node;

import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** The edge's originals over the blob store. A blob in a folder does not pass through the heap. */
final class BlobOriginals implements Originals {
  private final BlobStore blobs;

  BlobOriginals(BlobStore blobs) {
    this.blobs = blobs;
  }

  @Override
  public Optional<OriginalImage> open(String sha256) throws IOException {
    try {
      Optional<Path> file = blobs.file(sha256);
      if (file.isPresent()) {
        return file.map(OriginalImage.InFile::new);
      }
      Optional<InputStream> found = blobs.open(sha256);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      try (InputStream in = found.get()) {
        return Optional.of(new OriginalImage.InMemory(in.readNBytes(BlobStore.BLOB_BYTES_MAX)));
      }
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

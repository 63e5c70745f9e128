package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * Blobs in a folder: {@code ab/cd/abcd...}, 65,536 folders at most, so that no folder grows beyond
 * what a file system likes. A blob is written to a file beside its place, forced to the disk,
 * renamed, and the folder is forced too: after {@link #put} returns, a power cut does not lose it,
 * and no reader ever sees half of it.
 */
public final class DirectoryBlobStore implements BlobStore {
  private final Path root;
  private final BlobTree tree;

  /**
   * Makes the folder where it is missing; code {@code blob.read_only} where it cannot be written
   * to.
   */
  public DirectoryBlobStore(Path root) {
    this.root = root.toAbsolutePath().normalize();
    this.tree = new BlobTree(this.root);
    try {
      Files.createDirectories(this.root);
    } catch (IOException e) {
      throw failure(e);
    }
    if (!Files.isWritable(this.root)) {
      throw failure(new AccessDeniedException(this.root.toString()));
    }
  }

  @Override
  public String put(byte[] bytes) {
    if (bytes.length == 0 || bytes.length > BLOB_BYTES_MAX) {
      throw new QueueException.Blob(
          "blob.too_large", "A blob has 1 to " + BLOB_BYTES_MAX + " bytes.", null);
    }
    String sha256 = Sha256.hex(bytes);
    Path place = place(sha256);
    try {
      if (!renewed(place, bytes.length)) {
        write(place, bytes);
      }
      return sha256;
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /**
   * Renews the time of a blob that is there. A file of another size is what a broken disk left, and
   * one that a sweep takes away at this moment is gone: both are written anew.
   */
  private static boolean renewed(Path place, int size) throws IOException {
    try {
      if (Files.size(place) != size) {
        return false;
      }
      Files.setLastModifiedTime(place, FileTime.from(Instant.now()));
      // The file may have been taken away between its being opened and its time being set, after
      // the
      // sweep had looked at that time. Who still finds it here has renewed it before the look.
      return Files.exists(place);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  @Override
  public Optional<String> owner() {
    try {
      return Optional.of(Files.readString(root.resolve(OWNER)).strip());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public void own(String installation) {
    BlobOwner.check(installation);
    try {
      write(root.resolve(OWNER), installation.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw failure(e);
    }
  }

  private static void write(Path place, byte[] bytes) throws IOException {
    Path folder = place.getParent();
    makeFolder(folder);
    Path fresh = folder.resolve("." + UUID.randomUUID() + BlobTree.NEW);
    try {
      try (FileChannel channel =
          FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer left = ByteBuffer.wrap(bytes);
        while (left.hasRemaining()) {
          channel.write(left);
        }
        channel.force(true);
      }
      Files.move(fresh, place, StandardCopyOption.ATOMIC_MOVE);
      force(folder);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /** The entries of new folders are forced as well, from the outside in. */
  private static void makeFolder(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    makeFolder(folder.getParent());
    Files.createDirectories(folder);
    force(folder.getParent());
  }

  private static void force(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public Optional<InputStream> open(String sha256) {
    try {
      return Optional.of(Files.newInputStream(place(sha256)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public OptionalLong size(String sha256) {
    try {
      return OptionalLong.of(Files.size(place(sha256)));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public boolean delete(String sha256) {
    try {
      return Files.deleteIfExists(place(sha256));
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public Optional<Path> file(String sha256) {
    Path place = place(sha256);
    return Files.isRegularFile(place) ? Optional.of(place) : Optional.empty();
  }

  /**
   * Takes the file away under another name before it looks at its time: whoever puts the blob from
   * then on finds nothing and writes it anew, and whoever put it before has renewed the time that
   * is looked at.
   */
  @Override
  public boolean delete(String sha256, Instant notPutSince) {
    Path place = place(sha256);
    Path taken = place.resolveSibling("." + sha256 + BlobTree.SWEPT);
    try {
      if (Files.getLastModifiedTime(place).toInstant().isAfter(notPutSince)) {
        return false;
      }
      Files.move(place, taken, StandardCopyOption.ATOMIC_MOVE);
      if (Files.getLastModifiedTime(taken).toInstant().isAfter(notPutSince)) {
        Files.move(taken, place, StandardCopyOption.ATOMIC_MOVE);
        return false;
      }
      return Files.deleteIfExists(taken);
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public List<Entry> list(String after, int limit) {
    if (limit < 1 || limit > LIST_MAX) {
      throw new IllegalArgumentException("limit is 1 to " + LIST_MAX);
    }
    try {
      return tree.list(after, limit);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public int tidy(Instant before) {
    try {
      return tree.tidy(before);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Only 64 hex digits become a path, so no name leads out of the folder. */
  private Path place(String sha256) {
    if (!Sha256.isHex(sha256)) {
      throw new QueueException.Blob(
          "blob.key", "A blob's name is a SHA-256 of 64 lower-case hex digits.", null);
    }
    return root.resolve(sha256.substring(0, 2)).resolve(sha256.substring(2, 4)).resolve(sha256);
  }

  private QueueException failure(IOException e) {
    String text = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    if (text.contains("no space left") || text.contains("quota exceeded")) {
      return new QueueException.Blob(
          "blob.full", "The disk of " + root + " is full; free some space on it.", e);
    }
    if (e instanceof AccessDeniedException || text.contains("read-only file system")) {
      return new QueueException.Blob(
          "blob.read_only", "Cannot write to " + root + "; make it writable.", e);
    }
    return new QueueException.Blob(
        "blob.io", "Cannot read or write in " + root + ": " + e.getMessage(), e);
  }
}

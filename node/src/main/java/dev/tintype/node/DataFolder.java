package dev.tintype.node;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * The folder where a node keeps everything:
 *
 * <pre>
 *   node.lock      held while a process uses the folder
 *   server.url     where that process listens
 *   api-key        the first key, mode 600, so that commands on this machine need none
 *   edge-key       the secret that signs picture URLs, mode 600
 *   logs/          what happened
 *   queue/         the database        blobs/   pictures        edge/   cached variants
 * </pre>
 */
public final class DataFolder implements AutoCloseable {
  /** Below this, not even the database can be made. */
  static final long FREE_BYTES_MIN = 256L << 20;

  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rw-------");
  private static final int SECRET_BYTES = 32;

  private final Path folder;
  private final FileChannel channel;
  private final FileLock lock;

  private DataFolder(Path folder, FileChannel channel, FileLock lock) {
    this.folder = folder;
    this.channel = channel;
    this.lock = lock;
  }

  /**
   * Makes the folder where it is missing and takes it for this process.
   *
   * @throws NodeException.Start data.read_only, data.full, data.in_use
   */
  public static DataFolder open(Path path) {
    Path folder = path.toAbsolutePath().normalize();
    FileChannel channel = null;
    try {
      Files.createDirectories(folder.resolve("logs"));
      channel =
          FileChannel.open(
              folder.resolve("node.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null) {
        channel.close();
        throw new NodeException.Start(
            "data.in_use",
            "Another process uses "
                + folder
                + serverUrl(folder).map(url -> " (it serves " + url + ")").orElse("")
                + ". Stop it, or choose another folder with --data.");
      }
      long free = Files.getFileStore(folder).getUsableSpace();
      if (free < FREE_BYTES_MIN) {
        channel.close();
        throw new NodeException.Start(
            "data.full",
            "Only %d MB are free on the disk of %s, and %d MB are needed. Make room, or choose another folder with --data."
                .formatted(free >> 20, folder, FREE_BYTES_MIN >> 20));
      }
      Files.deleteIfExists(folder.resolve("server.url"));
      return new DataFolder(folder, channel, lock);
    } catch (IOException e) {
      closeQuietly(channel);
      throw new NodeException.Start(
          "data.read_only",
          "The data folder "
              + folder
              + " cannot be written ("
              + IoReason.of(e)
              + "). Give this user the right to"
              + " write there, or choose another folder with --data.",
          e);
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // This very process has it open, as tests do.
    }
  }

  /** Where the process that uses a folder listens, if one has said so. */
  public static Optional<String> serverUrl(Path folder) {
    return read(folder.resolve("server.url"));
  }

  /** The key that a node left in its folder for commands of the same user. */
  public static Optional<String> apiKey(Path folder) {
    return read(folder.resolve("api-key"));
  }

  private static Optional<String> read(Path file) {
    try {
      return Files.isReadable(file)
          ? Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty())
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  public Path path() {
    return folder;
  }

  public Path resolve(String name) {
    return folder.resolve(name);
  }

  /** Tells commands on this machine where the server is. */
  public void announce(String url) {
    write("server.url", url + "\n");
  }

  /** Keeps the first API key for commands of the same user. */
  public void keepApiKey(String key) {
    write("api-key", key + "\n");
  }

  /** A secret of 32 random bytes in hex, made at first use. */
  public String secret(String name) {
    Optional<String> kept = read(folder.resolve(name));
    if (kept.isPresent()) {
      return kept.get();
    }
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    String secret = HexFormat.of().formatHex(bytes);
    write(name, secret + "\n");
    return secret;
  }

  /** Through a file beside: a reader sees all or nothing, and nobody else ever sees a secret. */
  private void write(String name, String text) {
    Path fresh = folder.resolve(name + ".new");
    try {
      Files.deleteIfExists(fresh);
      Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PRIVATE));
      Files.writeString(fresh, text, StandardCharsets.UTF_8);
      Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new NodeException.Start(
          "data.read_only",
          "The file " + folder.resolve(name) + " cannot be written: " + IoReason.of(e),
          e);
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(folder.resolve("server.url"));
      lock.release();
    } catch (IOException e) {
      // The lock ends with the process anyway.
    } finally {
      closeQuietly(channel);
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // Nothing depends on it.
    }
  }
}

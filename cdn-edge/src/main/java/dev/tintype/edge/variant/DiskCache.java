package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Variants in a folder, bounded in bytes (W-TinyLFU over an index in memory). A file is written
 * beside its place and renamed, so no reader sees half of one; its size stands in its name, so a
 * file that a power cut left short is told at the next start and deleted. There is no fsync: what
 * is lost can be made again. The name begins with that of the original, so that all variants of one
 * lie in one folder and can be forgotten together, also those that an index does not know yet.
 */
final class DiskCache {
  private static final Logger LOG = LoggerFactory.getLogger(DiskCache.class);
  private static final String PART = ".part";
  private static final int DIGITS = 32;

  /** Original, variant, size; a file that is being written has more behind it. */
  private static final Pattern NAME =
      Pattern.compile("([0-9a-f]{32}-[0-9a-f]{32})-(\\d{1,18})(\\..*\\.part)?");

  /** What versions before 0.1 left: names without the original. */
  private static final Pattern FORMER = Pattern.compile("[0-9a-f]{32}-\\d{1,18}(\\..*\\.part)?");

  private final Path folder;
  private final long bytesMax;
  private final Cache<String, Long> sizes;

  DiskCache(Path folder, long bytesMax) {
    this.folder = folder;
    this.bytesMax = bytesMax;
    sizes =
        Caffeine.newBuilder()
            .maximumWeight(bytesMax)
            .weigher((String entry, Long size) -> (int) Math.min(size, Integer.MAX_VALUE))
            .evictionListener((String entry, Long size, RemovalCause cause) -> delete(entry, size))
            .build();
  }

  /**
   * Takes up what an earlier process left. Until it is through, a variant that it has not seen yet
   * is encoded again.
   */
  void scan() {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              takeUp(file, attributes.size());
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      LOG.warn("the cache folder {} could not be read: {}", folder, e.toString());
    }
  }

  /**
   * Only files whose name this class gives are touched: the folder may turn out to be somebody's
   * home.
   */
  private void takeUp(Path file, long size) {
    String name = file.getFileName().toString();
    Matcher parts = NAME.matcher(name);
    boolean ours = parts.matches();
    if (!(ours || FORMER.matcher(name).matches()) || !file.equals(path(name))) {
      return;
    }
    if (ours && parts.group(3) == null && Long.parseLong(parts.group(2)) == size) {
      sizes.asMap().putIfAbsent(parts.group(1), size);
    } else {
      quietly(file);
    }
  }

  Optional<Served.InFile> find(String sha256, String id) {
    String entry = entry(sha256, id);
    Long size = sizes.getIfPresent(entry);
    if (size == null) {
      return Optional.empty();
    }
    Path file = path(name(entry, size));
    if (!Files.isRegularFile(file)) {
      sizes.invalidate(entry);
      return Optional.empty();
    }
    return Optional.of(new Served.InFile(file, size));
  }

  /**
   * Best effort: a full or read-only disk costs the next reader an encode, and a line in the log.
   */
  void put(String sha256, String id, byte[] bytes) {
    if (bytes.length > bytesMax) {
      return;
    }
    String entry = entry(sha256, id);
    String name = name(entry, bytes.length);
    Path file = path(name);
    try {
      Files.createDirectories(file.getParent());
      Path part = Files.createTempFile(file.getParent(), name + ".", PART);
      try {
        Files.write(part, bytes);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
      sizes.put(entry, (long) bytes.length);
    } catch (IOException e) {
      LOG.warn("a variant could not be kept in {}: {}", folder, e.toString());
    }
  }

  /** Deletes everything that was made of an original. */
  void forget(String sha256) {
    String prefix = entry(sha256, "");
    for (Path file : files(path(prefix).getParent())) {
      String name = file.getFileName().toString();
      Matcher parts = NAME.matcher(name);
      if (name.startsWith(prefix) && parts.matches()) {
        sizes.invalidate(parts.group(1));
        quietly(file);
      }
    }
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      LOG.warn("the cache folder {} could not be read: {}", folder, e.toString());
      return List.of();
    }
  }

  private void delete(String entry, Long size) {
    if (entry != null && size != null) {
      quietly(path(name(entry, size)));
    }
  }

  private static void quietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (NoSuchFileException e) {
      // Somebody else was faster.
    } catch (IOException e) {
      LOG.warn("{} could not be deleted: {}", file, e.toString());
    }
  }

  /** Half of the original's digits tell it from all others. */
  private static String entry(String sha256, String id) {
    return sha256.substring(0, DIGITS) + "-" + id;
  }

  private static String name(String entry, long size) {
    return entry + "-" + size;
  }

  /** Two levels of 256 folders: no folder grows beyond some thousand files. */
  private Path path(String name) {
    return folder.resolve(name.substring(0, 2)).resolve(name.substring(2, 4)).resolve(name);
  }

  /** Runs the eviction that is due; for tests. */
  void settle() {
    sizes.cleanUp();
  }
}

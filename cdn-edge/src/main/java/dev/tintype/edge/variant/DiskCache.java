package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Variants in a folder, bounded in bytes (W-TinyLFU over an index in memory). A file is written
 * beside its place and renamed, so no reader sees half of one; its size stands in its name, so a
 * file that a power cut left short is told at the next start and deleted. There is no fsync: what
 * is lost can be made again.
 */
final class DiskCache {
  private static final Logger LOG = LoggerFactory.getLogger(DiskCache.class);
  private static final String PART = ".part";
  private static final int ID_CHARS = 32;

  private final Path folder;
  private final long bytesMax;
  private final Cache<String, Long> sizes;

  DiskCache(Path folder, long bytesMax) {
    this.folder = folder;
    this.bytesMax = bytesMax;
    sizes =
        Caffeine.newBuilder()
            .maximumWeight(bytesMax)
            .weigher((String id, Long size) -> (int) Math.min(size, Integer.MAX_VALUE))
            .evictionListener(
                (String id, Long size, com.github.benmanes.caffeine.cache.RemovalCause cause) ->
                    delete(id, size))
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
    if (name.matches("[0-9a-f]{" + ID_CHARS + "}-\\d{1,18}") && file.equals(path(name))) {
      String id = name.substring(0, ID_CHARS);
      if (name.equals(name(id, size))) {
        sizes.asMap().putIfAbsent(id, size);
      } else {
        quietly(file);
      }
    } else if (name.matches("[0-9a-f]{" + ID_CHARS + "}-\\d{1,18}\\..*\\" + PART)) {
      quietly(file);
    }
  }

  Optional<Served.InFile> find(String id) {
    Long size = sizes.getIfPresent(id);
    if (size == null) {
      return Optional.empty();
    }
    Path file = path(name(id, size));
    if (!Files.isRegularFile(file)) {
      sizes.invalidate(id);
      return Optional.empty();
    }
    return Optional.of(new Served.InFile(file, size));
  }

  /**
   * Best effort: a full or read-only disk costs the next reader an encode, and a line in the log.
   */
  void put(String id, byte[] bytes) {
    if (bytes.length > bytesMax) {
      return;
    }
    String name = name(id, bytes.length);
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
      sizes.put(id, (long) bytes.length);
    } catch (IOException e) {
      LOG.warn("a variant could not be kept in {}: {}", folder, e.toString());
    }
  }

  private void delete(String id, Long size) {
    if (id != null && size != null) {
      quietly(path(name(id, size)));
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

  private static String name(String id, long size) {
    return id + "-" + size;
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

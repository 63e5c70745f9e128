package dev.tintype.queue.blob;

import dev.tintype.queue.blob.BlobStore.Entry;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Walks the two levels of folders of a {@link DirectoryBlobStore}, in the order of the blobs'
 * names. Never holds more than one folder of each level.
 */
final class BlobTree {
  /** End of the name of a file that is being written. */
  static final String NEW = ".new";

  /** End of the name of a file that a delete has taken away and not yet judged. */
  static final String SWEPT = ".swept";

  private static final Predicate<String> FOLDER = Pattern.compile("[0-9a-f]{2}").asMatchPredicate();

  private final Path root;

  BlobTree(Path root) {
    this.root = root;
  }

  List<Entry> list(String after, int limit) throws IOException {
    List<Entry> page = new ArrayList<>();
    for (Path outer : folders(root, "", after)) {
      for (Path inner : folders(outer, name(outer), after)) {
        for (Path file : children(inner, Sha256::isHex)) {
          if (name(file).compareTo(after) > 0) {
            entry(file).ifPresent(page::add);
          }
          if (page.size() == limit) {
            return page;
          }
        }
      }
    }
    return page;
  }

  /**
   * The folders that can hold a name behind {@code after}.
   *
   * @param prefix the digits that the folder above stands for
   */
  private static List<Path> folders(Path above, String prefix, String after) throws IOException {
    int digits = prefix.length() + 2;
    String from = after.substring(0, Math.min(digits, after.length()));
    return children(above, FOLDER.and(name -> (prefix + name).compareTo(from) >= 0));
  }

  private static List<Path> children(Path folder, Predicate<String> shape) throws IOException {
    try (Stream<Path> found = Files.list(folder)) {
      return found
          .filter(path -> shape.test(name(path)))
          .sorted(Comparator.comparing(BlobTree::name))
          .toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }

  private static Optional<Entry> entry(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      Instant putAt = attributes.lastModifiedTime().toInstant();
      return Optional.of(new Entry(name(file), attributes.size(), putAt, ""));
    } catch (NoSuchFileException e) {
      return Optional.empty(); // Deleted meanwhile.
    }
  }

  /**
   * Removes files that were never finished. A file that a delete had taken away when its process
   * was killed goes back to its place: whether anybody names it is for the next sweep to find out.
   */
  int tidy(Instant before) throws IOException {
    int removed = 0;
    for (Path outer : folders(root, "", "")) {
      for (Path inner : folders(outer, name(outer), "")) {
        for (Path file : children(inner, name -> name.startsWith("."))) {
          removed += tidy(file, before) ? 1 : 0;
        }
      }
    }
    return removed;
  }

  private static boolean tidy(Path file, Instant before) throws IOException {
    String name = name(file);
    try {
      if (!Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
        return false;
      }
      if (name.endsWith(NEW)) {
        return Files.deleteIfExists(file);
      }
      if (!name.endsWith(SWEPT)) {
        return false;
      }
      // As young as a put, since a put may have written the same blob anew and not be named yet.
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      Path place = file.resolveSibling(name.substring(1, name.length() - SWEPT.length()));
      Files.move(file, place, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (NoSuchFileException e) {
      return false; // Its owner was alive after all.
    }
  }
}

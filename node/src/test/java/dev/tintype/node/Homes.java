package dev.tintype.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders that tests need. */
final class Homes {
  private Homes() {}

  /** The root of the repository: tests run in the module's folder. */
  static Path repository() {
    Path here = Path.of("").toAbsolutePath();
    return Files.isDirectory(here.resolve("models")) ? here : here.getParent();
  }

  static Path model() {
    return repository().resolve("models/tintype-mini");
  }

  /** A copy of the model that a test may damage. */
  static Path copyOfModel(Path into) throws IOException {
    Path copy = into.resolve("tintype-mini");
    try (Stream<Path> files = Files.walk(model())) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(model().relativize(file).toString()));
      }
    }
    return copy;
  }

  /** Not JUnit's own: a server that was killed may still be writing when the test ends. */
  static Path data() throws IOException {
    return Files.createTempDirectory("tintype-node-");
  }

  static void delete(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(folder)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.deleteIfExists(file);
    }
  }
}

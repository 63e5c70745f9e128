package dev.tintype.node.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds shared libraries by name where the loader of this system looks. */
final class SharedLibraries {
  private static final List<String> USUAL =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/usr/local/lib",
          "/usr/local/cuda/lib64",
          "/usr/lib/wsl/lib");

  private final List<Path> folders;

  private SharedLibraries(List<Path> folders) {
    this.folders = folders;
  }

  static SharedLibraries ofThisMachine() {
    List<Path> folders = new ArrayList<>();
    for (String folder : System.getenv().getOrDefault("LD_LIBRARY_PATH", "").split(":")) {
      if (!folder.isBlank()) {
        folders.add(Path.of(folder));
      }
    }
    USUAL.forEach(folder -> folders.add(Path.of(folder)));
    return new SharedLibraries(List.copyOf(folders));
  }

  /** The first file whose name is this, or this and a version behind it. */
  Optional<Path> find(String name) {
    for (Path folder : folders) {
      try (Stream<Path> files = Files.isDirectory(folder) ? Files.list(folder) : Stream.empty()) {
        Optional<Path> found =
            files
                .filter(file -> file.getFileName().toString().startsWith(name))
                .sorted()
                .findFirst();
        if (found.isPresent()) {
          return found;
        }
      } catch (IOException e) {
        // A folder that cannot be read holds no library for us.
      }
    }
    return Optional.empty();
  }
}

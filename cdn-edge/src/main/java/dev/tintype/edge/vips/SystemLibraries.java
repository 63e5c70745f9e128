package dev.tintype.edge.vips;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where Linux distributions keep libvips. The dynamic linker's own search is not open to Java,
 * which wants a whole path.
 */
final class SystemLibraries {
  static final String NAME = "libvips.so.42";

  private static final List<String> FOLDERS =
      List.of(
          "/usr/local/lib",
          "/usr/local/lib64",
          "/usr/lib/" + System.getProperty("os.arch").replace("amd64", "x86_64") + "-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/lib64",
          "/lib");

  private SystemLibraries() {}

  static List<Path> find() {
    String path = Optional.ofNullable(System.getenv("LD_LIBRARY_PATH")).orElse("");
    return Stream.concat(
            Stream.of(path.split(":")).filter(folder -> !folder.isBlank()), FOLDERS.stream())
        .map(folder -> Path.of(folder, NAME).toAbsolutePath())
        .filter(Files::isRegularFile)
        .distinct()
        .toList();
  }
}

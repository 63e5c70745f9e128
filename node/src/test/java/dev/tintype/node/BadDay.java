package dev.tintype.node;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Full disks and wrong clocks for a server in a process of its own, by a library that is loaded
 * before the C library and consults files in a folder. Built with gcc at the first use, as the
 * host's kernels are; where there is none the tests are skipped.
 */
final class BadDay implements AutoCloseable {
  private static final Path SOURCE = Path.of("src/test/native/bad-day.c");

  private final Path folder;
  private final Path library;

  private BadDay(Path folder, Path library) {
    this.folder = folder;
    this.library = library;
  }

  /** For the server of a data folder. Nothing is bad yet. */
  static BadDay of(Path data) throws IOException, InterruptedException {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "gcc"))),
        "no gcc found");
    Path folder = Files.createDirectories(data.resolveSibling(data.getFileName() + "-day"));
    Path library = folder.resolve("bad-day.so");
    Process compiler =
        new ProcessBuilder(
                "gcc",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fPIC",
                "-shared",
                "-o",
                library.toString(),
                SOURCE.toAbsolutePath().toString(),
                "-ldl")
            .inheritIO()
            .start();
    if (compiler.waitFor() != 0) {
      throw new IOException(SOURCE + " does not compile");
    }
    BadDay day = new BadDay(folder, library);
    day.clockOfServer(Duration.ZERO);
    day.clockOfDatabase(Duration.ZERO);
    return day;
  }

  @Override
  public void close() throws IOException {
    Homes.delete(folder);
  }

  /** What the server is started with; its PostgreSQL inherits it. */
  Map<String, String> environment() {
    return Map.of("LD_PRELOAD", library.toString(), "TINTYPE_BAD_DAY", folder.toString());
  }

  /** No file below the path grows any more; what has its place on the disk is still written. */
  void noRoomToGrow(Path below) throws IOException {
    flag("full.grow", below);
  }

  /** Nothing is written below the path any more, as where each write takes new room. */
  void noRoomAtAll(Path below) throws IOException {
    flag("full.all", below);
  }

  /** Half a path would be another path. */
  private void flag(String name, Path below) throws IOException {
    Path fresh = Files.writeString(folder.resolve(name + ".new"), below.toRealPath().toString());
    Files.move(fresh, folder.resolve(name));
  }

  /** The disk has room again. */
  void roomAgain() throws IOException {
    Files.deleteIfExists(folder.resolve("full.grow"));
    Files.deleteIfExists(folder.resolve("full.all"));
  }

  /** The wall clock of everything but PostgreSQL, beside the true one. */
  void clockOfServer(Duration ahead) throws IOException {
    clock("clock", ahead);
  }

  /** The wall clock of PostgreSQL, beside the true one. */
  void clockOfDatabase(Duration ahead) throws IOException {
    clock("clock.postgres", ahead);
  }

  /** In place: the processes have the file in their memory. */
  private void clock(String name, Duration ahead) throws IOException {
    byte[] seconds =
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(ahead.toSeconds())
            .array();
    try (var file = new java.io.RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
      file.write(seconds);
    }
  }
}

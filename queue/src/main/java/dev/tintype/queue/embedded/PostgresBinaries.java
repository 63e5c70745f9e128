package dev.tintype.queue.embedded;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * The server's programs, unpacked once (75 MB, about 1 s) into a cache folder named after the
 * archive's checksum. Unpacking goes to a folder beside it and ends with a rename, so that half an
 * archive is never taken for a whole one and two processes may do it at the same time.
 */
final class PostgresBinaries {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresBinaries.class);
  private static final long UNPACKED_BYTES_MAX = 400L << 20;
  private static final String ARCHIVE = "/postgres-linux-x86_64.txz";

  private PostgresBinaries() {}

  /** {@code $XDG_CACHE_HOME/tintype}, or {@code ~/.cache/tintype}. */
  static Path defaultCache() {
    return Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
        .filter(text -> text.startsWith("/"))
        .map(Path::of)
        .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache"))
        .resolve("tintype");
  }

  /** The folder with {@code bin}, {@code lib} and {@code share}. */
  static Path unpack(Path cache) {
    byte[] archive = archive();
    Path home = cache.resolve("postgres-" + Sha256.hex(archive).substring(0, 16));
    if (Files.isExecutable(home.resolve("bin/postgres"))) {
      return home;
    }
    try {
      Files.createDirectories(cache);
      Path fresh = Files.createTempDirectory(cache, "unpacking-");
      try {
        extract(archive, fresh);
        move(fresh, home);
      } finally {
        deleteAll(fresh);
      }
      LOG.info("unpacked PostgreSQL into {}", home);
      return home;
    } catch (IOException e) {
      throw DatabaseErrors.io("the cache folder " + cache, e);
    }
  }

  private static byte[] archive() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch");
    try (InputStream in =
        system.equals("linux") && machine.equals("amd64")
            ? PostgresBinaries.class.getResourceAsStream(ARCHIVE)
            : null) {
      if (in == null) {
        throw new QueueException.Refused(
            "database.platform",
            "There is no built-in PostgreSQL for "
                + system
                + " on "
                + machine
                + "; give the URL of a PostgreSQL server.",
            null);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new QueueException.Refused(
          "database.platform", "The built-in PostgreSQL cannot be read.", e);
    }
  }

  private static void extract(byte[] archive, Path target) throws IOException {
    long left = UNPACKED_BYTES_MAX;
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new BufferedInputStream(
                new XZInputStream(new ByteArrayInputStream(archive)), 1 << 16))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Path path = target.resolve(entry.getName()).normalize();
        left -= entry.getSize();
        if (!path.startsWith(target) || left < 0) {
          throw new IOException(
              "the archive holds an entry that it must not hold: " + entry.getName());
        }
        extractOne(tar, entry, path);
      }
    }
  }

  private static void extractOne(TarArchiveInputStream tar, TarArchiveEntry entry, Path path)
      throws IOException {
    if (entry.isDirectory()) {
      Files.createDirectories(path);
      return;
    }
    Files.createDirectories(path.getParent());
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
    } else if (entry.isLink()) {
      Files.createLink(path, path.getParent().resolve(Path.of(entry.getLinkName()).getFileName()));
    } else {
      Files.copy(tar, path);
      Files.setPosixFilePermissions(
          path,
          PosixFilePermissions.fromString(
              (entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--"));
    }
  }

  private static void move(Path fresh, Path home) throws IOException {
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
    try {
      Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | java.nio.file.DirectoryNotEmptyException e) {
      LOG.debug("another process has unpacked {} first", home);
    }
  }

  /** Deletes a folder and all in it; a missing one is fine. */
  static void deleteAll(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}

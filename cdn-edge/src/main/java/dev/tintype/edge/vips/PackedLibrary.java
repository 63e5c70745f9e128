package dev.tintype.edge.vips;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Properties;

/**
 * The libvips that the build packed into the jar. It is unpacked once into the user's cache folder,
 * under its checksum, and its checksum is compared before every load.
 */
final class PackedLibrary {
  static final String PLATFORM =
      System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT)
          + "-"
          + System.getProperty("os.arch").replace("amd64", "x86_64");

  private static final String ROOT = "/dev/tintype/edge/native/" + PLATFORM + "/";

  private PackedLibrary() {}

  /** The unpacked file; empty when this build carries none for this platform. */
  static Optional<Path> unpack() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = PackedLibrary.class.getResourceAsStream(ROOT + "libvips.properties")) {
      if (in == null) {
        return Optional.empty();
      }
      properties.load(in);
    }
    String sha256 = properties.getProperty("sha256");
    String file = properties.getProperty("file");
    Path target = cacheFolder().resolve("libvips-" + sha256.substring(0, 16)).resolve(file);
    if (!Files.isRegularFile(target) || !sha256.equals(sha256Of(target))) {
      copy(file, target);
      if (!sha256.equals(sha256Of(target))) {
        throw new IOException(target + " does not have the checksum of the build");
      }
    }
    return Optional.of(target);
  }

  /** Writes beside the target and renames: another process may be loading it at this moment. */
  private static void copy(String file, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Path part = Files.createTempFile(target.getParent(), file, ".part");
    try (InputStream in = PackedLibrary.class.getResourceAsStream(ROOT + file)) {
      if (in == null) {
        throw new IOException("the jar has no " + file);
      }
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /**
   * The user's cache folder (XDG Base Directory), or a private temporary one when there is none
   * that can be written.
   */
  private static Path cacheFolder() throws IOException {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home", "/"), ".cache")
            : Path.of(xdg);
    Path folder = base.resolve("tintype").resolve("native");
    try {
      Files.createDirectories(folder);
      if (Files.isWritable(folder)) {
        return folder;
      }
    } catch (IOException e) {
      // Falls through: a read-only home is common in containers.
    }
    return Files.createTempDirectory(
        "tintype-native",
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  private static String sha256Of(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        DigestInputStream digest =
            new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
      digest.transferTo(java.io.OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}

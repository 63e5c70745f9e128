package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.weights.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;

/**
 * The identity of a model: SHA-256 over the lines {@code part/file SHA-256-of-the-file} in the
 * order of their names, so that it can be made with sha256sum.
 */
final class WeightHash {
  private static final int BUFFER_BYTES = 1 << 20;

  private final TreeMap<String, String> fileHashes = new TreeMap<>();

  /** Reads a file, whose size in bytes is given back. */
  long add(String part, Path file) {
    MessageDigest digest = sha256();
    long bytes = 0;
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
        bytes += count;
      }
    } catch (IOException e) {
      throw new WeightsException(
          "weights.unreadable", file + ": cannot be read: " + e.getMessage(), e);
    }
    fileHashes.put(part + "/" + file.getFileName(), HexFormat.of().formatHex(digest.digest()));
    return bytes;
  }

  String hex() {
    MessageDigest digest = sha256();
    fileHashes.forEach(
        (name, hash) -> digest.update((name + " " + hash + "\n").getBytes(StandardCharsets.UTF_8)));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

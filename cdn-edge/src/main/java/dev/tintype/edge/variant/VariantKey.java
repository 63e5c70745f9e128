package dev.tintype.edge.variant;

import dev.tintype.edge.url.VariantSpec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * One variant of one original.
 *
 * @param sha256 the original
 * @param spec what to make of it
 * @param id 32 hexadecimal digits over the original, the spec and the encoder's version: the name
 *     in the caches, and the ETag
 */
public record VariantKey(String sha256, VariantSpec spec, String id) {
  private static final int ID_BYTES = 16;

  /** The key under an encoder's version. */
  public static VariantKey of(String sha256, VariantSpec spec, String encoderVersion) {
    try {
      byte[] text =
          (sha256 + "\n" + spec.text() + "\n" + encoderVersion).getBytes(StandardCharsets.US_ASCII);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(text);
      return new VariantKey(sha256, spec, HexFormat.of().formatHex(hash, 0, ID_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}

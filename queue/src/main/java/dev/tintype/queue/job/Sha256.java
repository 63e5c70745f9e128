package dev.tintype.queue.job;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 digests in lower-case hex, the names of blobs and the stored form of API keys. */
public final class Sha256 {
  private Sha256() {}

  /** 64 lower-case hex digits of the digest of the bytes. */
  public static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(digest().digest(bytes));
  }

  /**
   * True for exactly 64 lower-case hex digits; false for null. Such text is safe as a file name.
   */
  public static boolean isHex(String text) {
    if (text == null || text.length() != 64) {
      return false;
    }
    return text.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f');
  }

  /** A fresh digest. Every Java platform has to have SHA-256. */
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}

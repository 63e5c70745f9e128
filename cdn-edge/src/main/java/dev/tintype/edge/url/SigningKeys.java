package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys that are alive: the first one signs, all of them verify. To rotate, put a new key in
 * front, and take the old one out when no URL signed with it is in use any more. A signature is
 * {@code keyId.base64url(HMAC-SHA256(secret, message))}, 43 characters after the dot, no padding
 * (RFC 2104, RFC 4648 section 5).
 */
public final class SigningKeys {
  /** Shortest secret that is taken. */
  public static final int SECRET_BYTES_MIN = 16;

  /** Most keys alive at once. */
  public static final int KEYS_MAX = 16;

  private static final String ALGORITHM = "HmacSHA256";
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,32}");
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private final Map<String, Mac> macs = new HashMap<>();
  private final String primary;
  private final Set<String> ids;

  /**
   * One key.
   *
   * @param id 1 to 32 of letters, digits, {@code _} and {@code -}; public, it stands in the URL
   * @param secret at least {@value #SECRET_BYTES_MIN} bytes
   */
  public record Key(String id, byte[] secret) {
    /** Validates. */
    public Key {
      if (!ID.matcher(id).matches()) {
        throw EdgeException.config("A key id is 1 to 32 letters, digits, '_' or '-'.");
      }
      if (secret.length < SECRET_BYTES_MIN) {
        throw EdgeException.config(
            "The secret of key '"
                + id
                + "' has "
                + secret.length
                + " bytes; at least "
                + SECRET_BYTES_MIN
                + " are needed.");
      }
      secret = secret.clone();
    }

    @Override
    public byte[] secret() {
      return secret.clone();
    }

    /** Never shows the secret. */
    @Override
    public String toString() {
      return "Key[" + id + "]";
    }
  }

  /** Keys in order; the first signs. */
  public SigningKeys(List<Key> keys) {
    if (keys.isEmpty() || keys.size() > KEYS_MAX) {
      throw EdgeException.config(
          "Between 1 and " + KEYS_MAX + " signing keys are needed; there are " + keys.size() + ".");
    }
    Set<String> order = new LinkedHashSet<>();
    for (Key key : keys) {
      if (!order.add(key.id())) {
        throw EdgeException.config("The key id '" + key.id() + "' stands twice.");
      }
      macs.put(key.id(), macOf(key.secret()));
    }
    ids = Set.copyOf(order);
    primary = keys.getFirst().id();
  }

  /**
   * Reads {@code id:hex,id:hex}.
   *
   * @throws EdgeException with code edge.config; its message never holds a secret
   */
  public static SigningKeys parse(String text) {
    List<Key> keys = new ArrayList<>();
    for (String pair : text.split(",")) {
      int colon = pair.indexOf(':');
      if (colon < 1) {
        throw EdgeException.config("Signing keys are written id:hex,id:hex.");
      }
      String id = pair.substring(0, colon).strip();
      try {
        keys.add(new Key(id, HexFormat.of().parseHex(pair.substring(colon + 1).strip())));
      } catch (IllegalArgumentException e) {
        throw EdgeException.config(
            "The secret of the signing key '" + id + "' is not hexadecimal.");
      }
    }
    return new SigningKeys(keys);
  }

  private static Mac macOf(byte[] secret) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret, ALGORITHM));
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has " + ALGORITHM, e);
    }
  }

  /** The signature of a message with the first key. */
  public String sign(String message) {
    return sign(primary, message);
  }

  private String sign(String id, String message) {
    return id + "." + digest(macs.get(id), message);
  }

  /** Clones the prepared Mac: it is not thread-safe, and a clone spares the key schedule. */
  private static String digest(Mac prepared, String message) {
    try {
      Mac mac = (Mac) prepared.clone();
      return ENCODER.encodeToString(mac.doFinal(message.getBytes(StandardCharsets.UTF_8)));
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's HmacSHA256 can be cloned", e);
    }
  }

  /** The id of the live key that made this signature, if one did. Compares in constant time. */
  public Optional<String> verify(String signature, String message) {
    int dot = signature.indexOf('.');
    Mac mac = dot < 1 ? null : macs.get(signature.substring(0, dot));
    if (mac == null) {
      return Optional.empty();
    }
    byte[] expected = digest(mac, message).getBytes(StandardCharsets.US_ASCII);
    byte[] given = signature.substring(dot + 1).getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(expected, given)
        ? Optional.of(signature.substring(0, dot))
        : Optional.empty();
  }

  /** Never shows a secret. */
  @Override
  public String toString() {
    return "SigningKeys" + ids;
  }
}

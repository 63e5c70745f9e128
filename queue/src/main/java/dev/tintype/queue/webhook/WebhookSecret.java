package dev.tintype.queue.webhook;

import dev.tintype.queue.QueueException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The platform's key for signatures, as Standard Webhooks has it. Never shown. */
public final class WebhookSecret {
  private static final String PREFIX = "whsec_";
  private static final int BYTES_MIN = 24;
  private static final int BYTES_MAX = 64;

  private final byte[] key;

  private WebhookSecret(byte[] key) {
    this.key = key;
  }

  /**
   * @param text {@code whsec_} and 24 to 64 bytes in Base64
   * @throws QueueException.Invalid webhook.secret
   */
  public static WebhookSecret parse(String text) {
    try {
      byte[] key =
          Base64.getDecoder()
              .decode(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : "?");
      if (key.length >= BYTES_MIN && key.length <= BYTES_MAX) {
        return new WebhookSecret(key);
      }
    } catch (IllegalArgumentException e) {
      // Refused below.
    }
    throw new QueueException.Invalid(
        "webhook.secret",
        "A webhook secret is whsec_ and 24 to 64 bytes in Base64, such as whsec_ and the output of"
            + " openssl rand -base64 32.");
  }

  /** {@code v1,} and the HMAC-SHA256 of {@code ID.TIMESTAMP.BODY} in Base64. */
  String sign(String id, long timestampS, String body) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      String content = id + "." + timestampS + "." + body;
      return "v1,"
          + Base64.getEncoder()
              .encodeToString(mac.doFinal(content.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return "WebhookSecret";
  }
}

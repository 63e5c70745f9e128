package dev.tintype.queue.webhook;

import dev.tintype.queue.QueueException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/** A URL that may be called, as far as its text tells; its host is looked up when it is. */
public final class WebhookUrl {
  public static final int CHARS_MAX = 2_000;

  private WebhookUrl() {}

  /**
   * @throws QueueException.Invalid webhook.url
   */
  public static URI check(String text) {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw invalid();
    }
    String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
    boolean sound =
        text.length() <= CHARS_MAX
            && text.chars().allMatch(c -> c > ' ' && c < 0x7f)
            && (scheme.equals("https") || scheme.equals("http"))
            && uri.getHost() != null
            && uri.getRawUserInfo() == null
            && uri.getRawFragment() == null
            && uri.getPort() != 0
            && uri.getPort() <= 65_535;
    if (!sound) {
      throw invalid();
    }
    return uri;
  }

  private static QueueException invalid() {
    return new QueueException.Invalid(
        "webhook.url",
        "A webhook is an http or https URL of at most "
            + CHARS_MAX
            + " ASCII characters, without user, password and fragment, such as"
            + " https://example.com/hooks/tintype.");
  }
}

package dev.tintype.queue.webhook;

import dev.tintype.queue.QueueException;
import java.net.InetAddress;
import java.net.URI;

/**
 * Whether users may name webhooks, and which.
 *
 * @param on false: none, since there is no secret to sign with
 * @param allowPrivate also such as lead to this machine or into a private network
 */
public record WebhookPolicy(boolean on, boolean allowPrivate) {
  public static final WebhookPolicy OFF = new WebhookPolicy(false, false);

  /**
   * As far as can be told without looking the host up, which is done when it is called.
   *
   * @throws QueueException.Invalid webhook.off, webhook.url, webhook.private
   */
  public void check(String url) {
    if (!on) {
      throw new QueueException.Invalid(
          "webhook.off",
          "This server sends no webhooks; its operator has to set webhooks.secret. Follow"
              + " /v1/jobs/{id}/events instead.");
    }
    URI uri = WebhookUrl.check(url);
    if (!allowPrivate && isPrivateLiteral(uri.getHost())) {
      throw new QueueException.Invalid(
          "webhook.private",
          "A webhook leads to a public address; "
              + uri.getHost()
              + " is of this machine or of a private network.");
    }
  }

  private static boolean isPrivateLiteral(String host) {
    if (host.equalsIgnoreCase("localhost")) {
      return true;
    }
    try {
      return !PublicAddresses.contains(InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException e) {
      return false; // A name.
    }
  }
}

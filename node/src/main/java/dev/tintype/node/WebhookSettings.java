package dev.tintype.node;

import dev.tintype.queue.webhook.WebhookPolicy;
import dev.tintype.queue.webhook.WebhookSecret;

/**
 * How users are told that their jobs have ended.
 *
 * @param secret signs every call; the same for all processes of a fleet
 * @param allowPrivate whether users' URLs may lead to this machine or into a private network;
 *     default false
 */
public record WebhookSettings(WebhookSecret secret, boolean allowPrivate) {
  WebhookPolicy policy() {
    return new WebhookPolicy(true, allowPrivate);
  }
}

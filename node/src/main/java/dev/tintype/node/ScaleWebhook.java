package dev.tintype.node;

import dev.tintype.queue.fleet.ScaleHook;
import dev.tintype.queue.webhook.WebhookSecret;

/**
 * Where an autoscaler is told how many workers are wanted.
 *
 * @param secret signs every call; by default that of the users' webhooks
 */
public record ScaleWebhook(ScaleHook.Settings settings, WebhookSecret secret) {}

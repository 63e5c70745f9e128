/**
 * Telling users that their jobs have ended. What is owed is a row that the statement which ends the
 * job writes ({@link dev.tintype.queue.store.WebhookOutbox}); {@link
 * dev.tintype.queue.webhook.WebhookSender} sends it, signed as Standard Webhooks asks, at least
 * once. The URL is a stranger's, so {@link dev.tintype.queue.webhook.SignedPost} connects to public
 * addresses alone, and to the very address that was looked at.
 */
package dev.tintype.queue.webhook;

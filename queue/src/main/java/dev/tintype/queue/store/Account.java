package dev.tintype.queue.store;

/**
 * Who is asking.
 *
 * @param keyId the first characters of the key's digest, for logs; empty when not found by a key
 */
public record Account(String userId, Tier tier, boolean admin, String keyId) {}

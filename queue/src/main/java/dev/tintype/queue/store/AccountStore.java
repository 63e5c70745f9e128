package dev.tintype.queue.store;

import java.util.List;
import java.util.Optional;

/**
 * Users, their keys, and the tiers. Only SHA-256 digests of keys are stored; a key itself is shown
 * once, when it is made.
 */
public interface AccountStore {
  /** The account that a key opens. Empty for unknown and revoked keys and disabled users. */
  Optional<Account> authenticate(String apiKey);

  /**
   * Makes the user {@code admin} (tier pro, or the fastest where there is no pro) with a key if
   * there is no key at all yet, and returns that key; else empty.
   */
  Optional<String> firstKey();

  /**
   * One more key of the user whom {@link #firstKey} made, for whoever owns the database and lost
   * the first; code {@code account.unknown} where that user is gone.
   */
  String anotherFirstKey();

  /**
   * A user with that id and tier; code {@code account.exists} if the id is taken, {@code
   * account.tier} if no tier has that name.
   */
  Account createUser(String userId, String tier, boolean admin);

  /** A new key of that user, shown this once. */
  String createKey(String userId, String label);

  /** False where no such key is alive. */
  boolean revokeKey(String userId, String keyId);

  Optional<Account> account(String userId);

  /** All tiers, the slowest first. */
  List<Tier> tiers();
}

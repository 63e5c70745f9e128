package dev.tintype.queue.store;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What admins see and change of users, keys and tiers; making them is {@link AccountStore}'s. */
public interface AccountAdmin {
  /** Most users of one page. */
  int PAGE_MAX = 100;

  /**
   * A user.
   *
   * @param disabled true: none of the keys opens anything; jobs that were accepted go on
   */
  record User(String id, String tier, boolean admin, boolean disabled, Instant createdAt) {}

  /**
   * A key, without itself: only its digest is stored.
   *
   * @param id its name, the beginning of the digest
   */
  record Key(String id, String label, Instant createdAt, Optional<Instant> revokedAt) {}

  /** What becomes of a user; empty stays as it is. Jobs keep the tier they were accepted in. */
  record Change(Optional<String> tier, Optional<Boolean> admin, Optional<Boolean> disabled) {}

  /**
   * Users by id.
   *
   * @param after an id; the page begins behind it
   * @param limit 1 to {@link #PAGE_MAX} + 1
   */
  List<User> users(Optional<String> after, int limit);

  Optional<User> user(String id);

  /** The newest {@link #PAGE_MAX} keys of a user, the newest first. */
  List<Key> keys(String userId);

  /**
   * Empty where there is no such user. Code {@code account.tier} if no tier has that name, {@code
   * account.last_admin} if nobody would be left to administer.
   */
  Optional<User> change(String userId, Change change);

  /** Makes a tier, or changes the one of that name. Relays see it within a minute. */
  void putTier(Tier tier);

  /**
   * What became of a tier that {@link #declareTiers} did not name.
   *
   * @param users who were moved to the default tier
   * @param gone false: it still has jobs, which go on in it; a later call removes it
   */
  record LeftOut(String tier, long users, boolean gone) {}

  /**
   * Makes these the tiers. Those that are there and not named lose their users to {@link
   * Tier#byDefault}, and are removed as soon as no job is in them. The same call again changes
   * nothing, so every process of a fleet may make it when it starts.
   *
   * @param tiers at least one, each name once; code {@code account.tiers} otherwise
   */
  List<LeftOut> declareTiers(List<Tier> tiers);

  /** Most jobs, and most uploads, of one {@link #forget}. */
  int FORGET_MAX = 1000;

  /**
   * Deletes jobs of a user that have ended, with their logs, and the user's uploads. The pictures
   * are released: the sweep of blobs deletes those that nothing else names.
   *
   * @return how many of both; 0: nothing is left but jobs that are still open
   */
  int forget(String userId);
}

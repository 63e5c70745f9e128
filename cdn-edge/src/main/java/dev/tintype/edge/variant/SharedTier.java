package dev.tintype.edge.variant;

import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.error.EdgeException;
import java.io.IOException;
import java.util.Optional;

/** The store that edges share; whatever goes wrong there is a miss. */
final class SharedTier {
  private final SharedVariants shared;
  private final StoreGuard guard;
  private final ByteBudget budget;

  SharedTier(SharedVariants shared, StoreGuard guard, ByteBudget budget) {
    this.shared = shared;
    this.guard = guard;
    this.budget = budget;
  }

  private boolean none() {
    return shared == SharedVariants.NONE;
  }

  /** Blocks for the guard's deadline at most. */
  Optional<byte[]> find(VariantKey key) {
    return none()
        ? Optional.empty()
        : guard.ask(() -> shared.get(key.sha256(), key.id())).flatMap(found -> found);
  }

  /**
   * Gives a variant to the other edges, later; not where there is no room for its bytes until then.
   */
  void put(VariantKey key, byte[] bytes, Purged purged) {
    if (none()) {
      return;
    }
    ByteBudget.Held held = budget.open();
    if (!held.has(bytes.length)) {
      held.close();
      return;
    }
    guard.later(
        () -> {
          if (!purged.contains(key.sha256())) {
            shared.put(key.sha256(), key.id(), key.spec().format(), bytes);
          }
          if (purged.contains(key.sha256())) {
            shared.forget(key.sha256());
          }
          return null;
        },
        held::close);
  }

  /** Drops the variants of an original that is gone, where that can be done. */
  void forgetLater(String sha256) {
    if (none()) {
      return;
    }
    guard.later(
        () -> {
          shared.forget(sha256);
          return null;
        },
        () -> {});
  }

  /**
   * Drops the variants of an original, now.
   *
   * @throws EdgeException edge.store when the store did not do it: the purge must be repeated
   */
  void forget(String sha256) {
    try {
      shared.forget(sha256);
    } catch (IOException | RuntimeException e) {
      guard.failed(e.toString());
      throw EdgeException.storeFailed();
    }
  }
}

package dev.tintype.gateway.images;

import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/** Who may hold a picture in the heap now: so many in all, and few of one user. Thread-safe. */
final class UploadPermits {
  /** Uploads in the heap at a time: 128 MiB at most. */
  static final int AT_ONCE_MAX = 8;

  /** Of one user, who must not keep the others out. */
  static final int PER_USER_MAX = 2;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

  /** Comes back once, however often it is given back. */
  final class Permit {
    private final String userId;
    private final AtomicBoolean back = new AtomicBoolean();

    private Permit(String userId) {
      this.userId = userId;
    }

    void giveBack() {
      if (back.compareAndSet(false, true)) {
        users.computeIfPresent(userId, (user, held) -> held == 1 ? null : held - 1);
        room.release();
      }
    }
  }

  private final Semaphore room = new Semaphore(AT_ONCE_MAX);

  /** Permits held by each user who holds any; at most {@link #AT_ONCE_MAX} entries. */
  private final Map<String, Integer> users = new ConcurrentHashMap<>();

  /**
   * @throws LimitException image.user_busy
   * @throws UnavailableException image.busy
   */
  Permit take(String userId) {
    if (!room.tryAcquire()) {
      throw new UnavailableException(
          "image.busy", "Too many pictures are being sent. Try again soon.", RETRY_AFTER);
    }
    if (users.merge(userId, 1, Integer::sum) > PER_USER_MAX) {
      new Permit(userId).giveBack();
      throw new LimitException(
          "image.user_busy",
          "You are sending " + PER_USER_MAX + " pictures already; wait until one is stored.",
          RETRY_AFTER);
    }
    return new Permit(userId);
  }
}

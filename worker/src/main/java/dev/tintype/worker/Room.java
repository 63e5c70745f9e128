package dev.tintype.worker;

import java.util.concurrent.Semaphore;

/** Places for jobs. */
final class Room extends Semaphore {
  private static final long serialVersionUID = 1L;

  Room(int places) {
    super(places);
  }

  /** Takes one that is not there; the next that comes back is its. */
  void borrow() {
    reducePermits(1);
  }
}

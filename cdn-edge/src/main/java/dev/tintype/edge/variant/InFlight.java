package dev.tintype.edge.variant;

import dev.tintype.edge.vips.KillSwitch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One variant in the making, and all who wait for it. One that only {@code auto} asked for may be
 * put off, until somebody asks for the very format.
 */
final class InFlight {
  final VariantKey key;
  final long startNs;
  final CompletableFuture<Served> result = new CompletableFuture<>();
  final KillSwitch kill = new KillSwitch();

  /** Whether it was put off; known at the latest with the result. */
  final CompletableFuture<Boolean> putOff = new CompletableFuture<>();

  private volatile ScheduledFuture<?> deadline;

  /** Whether it counts against its original. */
  final AtomicBoolean admitted = new AtomicBoolean();

  /** What the encode costs, known after the header was read: see {@link EncodeCosts#work}. */
  volatile long work;

  private boolean insisted;
  private boolean waiting;

  InFlight(VariantKey key, long startNs, boolean insisted) {
    this.key = key;
    this.startNs = startNs;
    this.insisted = insisted;
    result.whenComplete((served, error) -> putOff.complete(false));
  }

  void deadline(ScheduledFuture<?> next) {
    stopClock();
    deadline = next;
  }

  void stopClock() {
    ScheduledFuture<?> running = deadline;
    if (running != null) {
      running.cancel(false);
    }
  }

  /** Whether nobody needs this very format. */
  synchronized boolean patient() {
    return !insisted;
  }

  /** Puts it off and stops its clock, where that may be. */
  synchronized boolean defer() {
    if (insisted) {
      return false;
    }
    stopClock();
    waiting = true;
    return true;
  }

  /** Somebody needs it; true where it had been put off and must be made by the caller now. */
  synchronized boolean insist() {
    insisted = true;
    return begin();
  }

  /** Whether it had been put off and is the caller's to make. */
  synchronized boolean begin() {
    boolean was = waiting;
    waiting = false;
    return was;
  }
}

package dev.tintype.queue.transport;

/**
 * A wake-up that one consumer holds for a while. Exactly one of {@link #ack} and {@link #release}
 * ends it; both are harmless when late.
 */
public interface Delivery {
  WakeUp wakeUp();

  /** 1 for the first consumer, 2 for the second, ... */
  int deliveryCount();

  /** It is dealt with (the store's lease was taken, or was refused); it is not delivered again. */
  void ack();

  /** Somebody else should have it, now. */
  void release();

  /** Prolongs the hold. False where it has lapsed and somebody else may have it. */
  boolean renew();
}

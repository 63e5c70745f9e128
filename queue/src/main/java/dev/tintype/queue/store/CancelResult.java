package dev.tintype.queue.store;

/** What a cancel did. */
public enum CancelResult {
  /** It was queued and is canceled now. */
  CANCELED,
  /** A worker has it and will end it within one step. */
  REQUESTED,
  /** It had ended before. */
  ALREADY_ENDED,
  /** No such job, or another user's. */
  NOT_FOUND
}

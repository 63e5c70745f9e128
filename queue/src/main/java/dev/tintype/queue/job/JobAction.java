package dev.tintype.queue.job;

/** What can happen to a job. Each is one transaction of the store. */
public enum JobAction {
  /** A worker takes a queued job; the attempt number, which is the fence, grows by one. */
  LEASE,
  /** The worker begins the first step. */
  START,
  /** The worker hands in all pictures. */
  SUCCEED,
  /** The worker reports an error that may go away; errors + 1, below the limit. */
  RETRY,
  /** The worker reports an error that cannot go away. */
  FAIL,
  /** The lease lapsed: the worker crashed or lost its network; crashes + 1, below the limit. */
  LAPSE,
  /** The worker gives the job back without blame (it is draining). */
  RELEASE,
  /** The worker gives the job back, without blame, for a more urgent one; preemptions + 1. */
  PREEMPT,
  /** The user's cancel takes effect. */
  CANCEL,
  /** The deadline passed. */
  EXPIRE,
  /** One crash or error too many. */
  BURY,
  /** An admin gives a dead job another life; counts start again. */
  REDRIVE
}

package dev.tintype.queue.store;

/** Jobs that are not at their end, and the estimated work that waits. */
public record QueueCounts(long queued, long leased, long running, long queuedCostMs) {}

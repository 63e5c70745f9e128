package dev.tintype.queue.store;

/**
 * Jobs of one tier and model that wait.
 *
 * @param costMs their estimated work, GPU-ms
 */
public record Backlog(String tier, String model, long costMs) {}

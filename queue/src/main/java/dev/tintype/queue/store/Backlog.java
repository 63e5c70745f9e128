package dev.tintype.queue.store;

/**
 * Jobs of one tier and model that wait.
 *
 * @param relaxed those in mode relax; else all others
 * @param costMs their estimated work, GPU-ms
 */
public record Backlog(String tier, boolean relaxed, String model, long costMs) {}

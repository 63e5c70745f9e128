package dev.tintype.queue.store;

import java.time.Duration;

/**
 * A class of service.
 *
 * @param name {@code free}, {@code standard}, {@code fast}, {@code pro}, {@code enterprise}
 * @param weight share of GPU time beside the other tiers with work to do, at least 1
 * @param maxWait the bound of waiting that is promised
 * @param runningMax most jobs of one user that run at a time
 * @param queuedMax most jobs of one user that are not at their end
 * @param retention how long finished jobs and pictures are kept
 * @param tierClass which lane of the transport its jobs travel in
 */
public record Tier(
    String name,
    int weight,
    Duration maxWait,
    int runningMax,
    int queuedMax,
    Duration retention,
    TierClass tierClass) {}

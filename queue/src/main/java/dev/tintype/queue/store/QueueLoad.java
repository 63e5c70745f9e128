package dev.tintype.queue.store;

import dev.tintype.queue.job.JobState;
import java.time.Duration;

/**
 * Jobs of one tier, model and state, where that state is not an end, or is {@code dead}.
 *
 * @param jobs how many
 * @param oldest how long ago the first of them was accepted
 * @param costMs their estimated work, GPU-ms
 * @param crashes lapsed leases that they have behind them
 * @param errors reported errors that they have behind them
 */
public record QueueLoad(
    String tier,
    String model,
    JobState state,
    long jobs,
    Duration oldest,
    long costMs,
    long crashes,
    long errors) {}

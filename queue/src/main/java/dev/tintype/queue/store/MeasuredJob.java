package dev.tintype.queue.store;

import dev.tintype.queue.job.JobSpec;

/**
 * What a finished job took.
 *
 * @param gpuMs of a device, in ms, as its worker measured
 */
public record MeasuredJob(JobSpec spec, long gpuMs) {}

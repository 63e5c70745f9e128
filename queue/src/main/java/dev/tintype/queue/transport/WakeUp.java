package dev.tintype.queue.transport;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;

/** "This job is next." The topic is {@code model} x {@code tierClass}. */
public record WakeUp(JobId jobId, String model, TierClass tierClass) {}

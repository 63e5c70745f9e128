package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.time.Instant;
import java.util.Optional;

/** What the relay needs to know about a waiting job. */
public record ReadyJob(
    JobId id,
    String userId,
    String tier,
    String model,
    long costMs,
    Instant createdAt,
    Optional<Instant> deadline) {}

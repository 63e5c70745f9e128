package dev.tintype.queue.job;

import java.time.Instant;

/**
 * One entry of a job's log.
 *
 * @param attempt of the job that wrote it; 0 before the first lease
 * @param seq 1, 2, 3, ... without gaps within one job, over all its attempts: the {@code id:} of
 *     SSE
 * @param json payload, one JSON object; its form is told by {@link EventType}
 * @param at when, by the database's clock
 */
public record JobEvent(
    JobId jobId, int attempt, long seq, EventType type, String json, Instant at) {}

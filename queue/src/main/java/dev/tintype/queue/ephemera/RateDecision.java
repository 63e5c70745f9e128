package dev.tintype.queue.ephemera;

import java.time.Duration;

/**
 * The answer of a rate limit.
 *
 * @param allowed whether the cost was taken
 * @param remaining permits that could be taken at once now, at least 0
 * @param retryAfter when the same cost would be allowed if nobody else takes any; zero if allowed
 * @param resetAfter when the whole burst is there again if nobody takes any
 */
public record RateDecision(
    boolean allowed, long remaining, Duration retryAfter, Duration resetAfter) {}

/**
 * What may be lost without losing a job: presence of workers, caches, checkpoints, rate limits,
 * hints that fan out. One port, in this process when alone and in Redis in a fleet, held to the
 * same contract. A caller must do without it: every method may raise {@code ephemera.unavailable},
 * and every value may be gone before its time.
 */
package dev.tintype.queue.ephemera;

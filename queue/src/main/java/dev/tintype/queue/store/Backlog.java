package dev.tintype.queue.store;

/**
 * The open work of a tier: queued, leased and running.
 *
 * @param costMs estimated GPU-ms; what a running job has behind it is not taken off
 */
public record Backlog(long jobs, long costMs) {
  public static final Backlog NONE = new Backlog(0, 0);
}

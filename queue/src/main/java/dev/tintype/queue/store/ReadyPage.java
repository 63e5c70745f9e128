package dev.tintype.queue.store;

import java.util.List;
import java.util.Optional;

/**
 * Heads of the queue of one tier.
 *
 * @param jobs grouped by user, each user's oldest first
 * @param next the user to go on behind, or empty where no user is left. Users whose jobs all have
 *     to wait are passed over but counted, so a page may be empty and still have a next one
 */
public record ReadyPage(List<ReadyJob> jobs, Optional<String> next) {
  public ReadyPage {
    jobs = List.copyOf(jobs);
  }
}

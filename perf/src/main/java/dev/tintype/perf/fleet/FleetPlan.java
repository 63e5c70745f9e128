package dev.tintype.perf.fleet;

import java.nio.file.Path;

/**
 * What a fleet consists of.
 *
 * @param folder of everything: databases, logs, settings
 * @param home of the program, where {@code models} is
 * @param gateways with the API, default 2
 * @param workers with tintype-mini on one thread each, default 3
 * @param relays default 2
 * @param edges default 1
 */
public record FleetPlan(Path folder, Path home, int gateways, int workers, int relays, int edges) {
  public static final int PROCESSES_MAX = 32;

  public FleetPlan {
    folder = folder.toAbsolutePath().normalize();
    home = home.toAbsolutePath().normalize();
    if (gateways < 1
        || workers < 1
        || relays < 1
        || edges < 1
        || gateways + workers + relays + edges > PROCESSES_MAX) {
      throw new IllegalArgumentException(
          "A fleet has at least one process of each role, " + PROCESSES_MAX + " at most.");
    }
  }

  /** Two gateways, three workers, two relays, one edge. */
  public static FleetPlan standard(Path folder, Path home) {
    return new FleetPlan(folder, home, 2, 3, 2, 1);
  }
}

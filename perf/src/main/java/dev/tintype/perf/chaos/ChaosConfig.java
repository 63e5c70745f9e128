package dev.tintype.perf.chaos;

import dev.tintype.node.NodeException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * One run.
 *
 * @param time how long faults happen, 5 s to 24 h
 * @param seed of the fault plan and the load: the same seed plans the same faults at the same times
 * @param mode what is broken
 * @param clients threads that submit, 1 to 64
 * @param openMax jobs that are accepted and not ended at any time; keeps the load within what a CPU
 *     paints, so that the drain measures recovery and not a backlog
 * @param drainMax how long the platform may take, after the last fault, to answer every submission
 *     and end every job: lapsed leases (15 s), backoff (60 s at most) and the work itself
 * @param folder for the members' data; removed after a run without violations
 */
record ChaosConfig(
    Duration time, long seed, Mode mode, int clients, int openMax, Duration drainMax, Path folder) {
  /** What a run is made of. */
  enum Mode {
    /** One process with every role and a database of its own. */
    ALONE,
    /** A gateway and two workers apart, each behind its own connection to one database. */
    APART,
    /**
     * Gateways, relays, workers and an edge over Kafka, Redis, S3 and PostgreSQL, all processes of
     * their own, with a line before each server
     */
    FLEET
  }

  ChaosConfig {
    range("--seconds", time.toSeconds(), 5, 86_400);
    range("--clients", clients, 1, 64);
    range("--open", openMax, 1, 10_000);
    range("--drain", drainMax.toSeconds(), 1, 3_600);
  }

  private static void range(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new NodeException.Config(
          "chaos.range", name + " is from " + min + " to " + max + "; found " + value + ".");
    }
  }
}

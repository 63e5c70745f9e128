package dev.tintype.queue.fleet;

import java.util.Locale;

/** What a worker is good for at the moment. */
public enum WorkerState {
  /** Loads its first model; takes no jobs yet. */
  STARTING,
  /** Takes jobs. */
  READY,
  /** Finishes what it has and takes no more. */
  DRAINING,
  /** Its device is lost; its process ends. */
  SICK;

  /** The name in JSON and metrics, such as {@code ready}. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}

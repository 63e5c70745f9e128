package dev.tintype.perf.chaos;

import java.util.List;

/**
 * What is broken. Targets have names; each kind of fault knows its own. All methods may be called
 * from any thread; a kill of what is just being started waits until it is ready.
 */
interface Cluster extends AutoCloseable {
  /** Where clients connect; stays the same whatever dies. */
  String origin();

  /** Where pictures are read once all is quiet. */
  default String pictures() {
    return origin();
  }

  /** An admin's key. */
  String apiKey();

  /** What can be killed and comes back. */
  List<String> killable();

  /** What can be paused. */
  List<String> pausable();

  /** Lines that can misbehave. */
  List<String> lines();

  /** kill -9, then a new start; returns when it is ready again. */
  void kill(String target);

  /** SIGSTOP. */
  void pause(String target);

  /** SIGCONT. */
  void resume(String target);

  void line(String target, FaultyProxy.Line line);

  /** Starts again whatever ended by itself; its name, for the report. */
  List<String> revive();

  @Override
  void close();
}

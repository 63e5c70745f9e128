package dev.tintype.worker.engine;

/** A picture in the making; holds a latent on the device until closed. */
public interface Painting extends AutoCloseable {
  /** Steps done, 0..{@link #steps()}. */
  int step();

  /** Steps that it takes in all. */
  int steps();

  default boolean done() {
    return step() >= steps();
  }

  @Override
  void close();
}

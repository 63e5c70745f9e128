package dev.tintype.worker.engine;

import java.util.Optional;

/**
 * What a job's pictures start from, both of the job's size.
 *
 * @param init empty for noise
 * @param mask white (128 and above) where {@code init} is made anew; needs {@code init}
 */
public record StartPictures(Optional<Picture> init, Optional<Picture> mask) {
  /** From noise. */
  public static final StartPictures NONE = new StartPictures(Optional.empty(), Optional.empty());
}

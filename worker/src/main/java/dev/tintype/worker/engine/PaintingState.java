package dev.tintype.worker.engine;

import java.util.Objects;
import java.util.Optional;

/**
 * What is needed to go on with a painting in another process, to the same bits on the same kind of
 * device.
 *
 * @param step steps done
 * @param latents all numbers of the latent
 * @param history of a multistep solver, where the next step reads it
 */
public record PaintingState(int step, float[] latents, Optional<float[]> history) {
  public PaintingState {
    Objects.requireNonNull(latents);
    Objects.requireNonNull(history);
  }

  /** Whether it has neither infinities nor NaN: such a picture is lost, and is begun anew. */
  public boolean finite() {
    return finite(latents) && history.map(PaintingState::finite).orElse(true);
  }

  private static boolean finite(float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }
}

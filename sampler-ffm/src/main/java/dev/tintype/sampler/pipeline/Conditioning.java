package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.TextStates;
import java.util.Optional;

/**
 * What the text makes of one sample, computed once: one row, or two with guidance, the one without
 * the prompt first.
 *
 * @param states keys and values of every cross-attention
 * @param pooled SDXL's pooled text, [rows, channels]
 * @param timeIds SDXL's sizes and crops, one row for each of {@code states}
 */
record Conditioning(TextStates states, Optional<Tensor> pooled, double[][] timeIds)
    implements AutoCloseable {
  int rows() {
    return Math.toIntExact(states.rows());
  }

  @Override
  public void close() {
    states.close();
    pooled.ifPresent(Tensor::close);
  }
}

package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Tensor;

/**
 * An addend per item and channel, such as the time embedding of a residual block, where it lies in
 * a wider tensor: as many columns as there are channels.
 *
 * @param rows [items, width]
 * @param from column of the first channel
 */
public record ChannelBias(Tensor rows, int from) {
  /** Elements from one item's channels to the next item's. */
  public int stride() {
    return rows.shape().intDim(1);
  }
}

package dev.tintype.sampler.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * What the residual blocks of a UNet make of the time embedding, {@code time_emb_proj} of each, as
 * one linear layer with the outputs of all beside each other. It depends on the timestep and, in
 * SDXL, on the prompt, so that it is computed once for all steps of a picture; a block then adds
 * its own columns.
 */
public final class TimeProjections {
  private final int embeddingChannels;
  private final List<Parameters> blocks = new ArrayList<>();
  private final List<Integer> widths = new ArrayList<>();
  private int width;

  /**
   * @param embeddingChannels of the time embedding
   */
  public TimeProjections(int embeddingChannels) {
    this.embeddingChannels = embeddingChannels;
  }

  /**
   * One block's projection.
   *
   * @param p where it is in the checkpoint
   * @param channels of the block
   */
  Columns add(Parameters p, int channels) {
    Columns columns = new Columns(width);
    blocks.add(p);
    widths.add(channels);
    width += channels;
    return columns;
  }

  /** All that were added: [n, embedding channels] to [n, channels of all blocks]. */
  public Linear joined() {
    return Linear.joined(blocks, embeddingChannels, widths);
  }

  /** Where a block's channels are in the outputs of all. */
  record Columns(int from) {}
}

package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import java.util.List;
import java.util.Optional;

/**
 * The mask of a sample, in one of two forms. A UNet trained for inpainting reads mask and masked
 * picture as further channels; any other is pulled back outside the mask after every step.
 */
sealed interface InpaintInputs extends AutoCloseable {

  @Override
  void close();

  /**
   * Further channels of the UNet's input.
   *
   * @param channels mask and latent of the masked picture, [1, h, w, 1 + latent channels]
   */
  record Channels(Tensor channels) implements InpaintInputs {
    Tensor join(Ops ops, Tensor input) {
      return ops.concatChannels(List.of(input, channels));
    }

    @Override
    public void close() {
      channels.close();
    }
  }

  /**
   * The picture's own latent outside the mask, brought to the noise level of the step; on the host,
   * as it is one pass over a latent per step.
   *
   * @param mask [h * w], 1 where the picture is made anew
   * @param latents of the picture to start from, [h, w, c]
   * @param noise that the sample started from, [h, w, c]
   */
  record Blend(float[] mask, float[] latents, float[] noise) implements InpaintInputs {

    /** The latent after a step, with what lies outside the mask put back. */
    Tensor apply(Ops ops, Tensor stepped, Optional<SchedulePlan.AddNoise> level) {
      float[] values = ops.download(stepped);
      int channels = values.length / mask.length;
      for (int i = 0; i < values.length; i++) {
        float kept = latents[i];
        if (level.isPresent()) {
          kept =
              (float) level.get().sampleFactor() * kept
                  + (float) level.get().noiseFactor() * noise[i];
        }
        float m = mask[i / channels];
        values[i] = (1 - m) * kept + m * values[i];
      }
      return ops.upload(values, stepped.shape());
    }

    @Override
    public void close() {
      // Held by the garbage collector.
    }
  }
}

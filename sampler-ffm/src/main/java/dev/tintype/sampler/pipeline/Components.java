package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.schedule.SchedulerConfig;

/** The loaded parts of a pipeline. */
record Components(
    ModelInfo info,
    TextEncoders text,
    UNet2DConditionModel unet,
    AutoencoderKl vae,
    SchedulerConfig scheduler)
    implements AutoCloseable {
  @Override
  public void close() {
    text.close();
    unet.close();
    vae.close();
  }
}

package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKlConfig;
import dev.tintype.sampler.ops.Ops;

/** Between the latents of the VAE and those of the UNet, whose spread is about 1. */
record LatentScale(Ops ops, AutoencoderKlConfig config) {

  Tensor toUnet(Tensor vaeLatents) {
    if (config.latentsMean().isEmpty() && config.shiftFactor().isEmpty()) {
      return ops.scale(vaeLatents, (float) config.scalingFactor());
    }
    return perChannel(
        vaeLatents, (value, mean, std) -> (value - mean) * config.scalingFactor() / std);
  }

  Tensor toVae(Tensor latents) {
    if (config.latentsMean().isEmpty() && config.shiftFactor().isEmpty()) {
      return ops.scale(latents, (float) (1 / config.scalingFactor()));
    }
    return perChannel(latents, (value, mean, std) -> value * std / config.scalingFactor() + mean);
  }

  @FunctionalInterface
  private interface Normalisation {
    double apply(double value, double mean, double std);
  }

  /** On the host: two models in all have such latents, and it is once per picture. */
  private Tensor perChannel(Tensor x, Normalisation normalisation) {
    float[] values = ops.download(x);
    int channels = x.shape().intDim(-1);
    for (int i = 0; i < values.length; i++) {
      int c = i % channels;
      boolean stats = !config.latentsMean().isEmpty();
      double mean = stats ? config.latentsMean().get(c) : config.shiftFactor().orElse(0.0);
      double std = stats ? config.latentsStd().get(c) : 1;
      values[i] = (float) normalisation.apply(values[i], mean, std);
    }
    return ops.upload(values, x.shape());
  }
}

package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.Linear;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.nn.VaeDecoder;
import dev.tintype.sampler.nn.VaeEncoder;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.WeightSource;
import java.util.Optional;

/**
 * Pictures to latents and back (diffusers {@code AutoencoderKL}). Pictures are [n, h, w, 3] in [-1,
 * 1]; latents [n, h / f, w / f, latent channels], without the scaling factor.
 */
public final class AutoencoderKl implements AutoCloseable {
  private static final float LOGVAR_MIN = -30;
  private static final float LOGVAR_MAX = 20;

  private final AutoencoderKlConfig config;
  private final Ops ops;
  private final Parameters parameters;
  private final VaeEncoder encoder;
  private final VaeDecoder decoder;
  private final Optional<Linear> quantConv;
  private final Optional<Linear> postQuantConv;

  private AutoencoderKl(AutoencoderKlConfig config, Parameters p) {
    this.config = config;
    this.ops = p.ops();
    this.parameters = p;
    int latent = config.latentChannels();
    encoder =
        new VaeEncoder(
            p.below("encoder"),
            config.inChannels(),
            2 * latent,
            config.blockOutChannels(),
            config.layersPerBlock(),
            config.normGroups(),
            AutoencoderKlConfig.NORM_EPSILON,
            config.midAttention());
    decoder =
        new VaeDecoder(
            p.below("decoder"),
            latent,
            config.outChannels(),
            config.channelsUp(),
            config.layersPerBlock() + 1,
            config.normGroups(),
            AutoencoderKlConfig.NORM_EPSILON,
            config.midAttention());
    quantConv = pointwise(p, config.quantConv(), "quant_conv", 2 * latent);
    postQuantConv = pointwise(p, config.postQuantConv(), "post_quant_conv", latent);
  }

  private static Optional<Linear> pointwise(
      Parameters p, boolean present, String name, int channels) {
    return present
        ? Optional.of(Linear.pointwise(p.below(name), channels, channels))
        : Optional.empty();
  }

  /** Prepares the weights of a checkpoint on the device. */
  public static AutoencoderKl load(AutoencoderKlConfig config, WeightSource weights, Ops ops) {
    Parameters parameters = Parameters.of(ops, weights);
    try {
      return new AutoencoderKl(config, parameters);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
  }

  public AutoencoderKlConfig config() {
    return config;
  }

  /** The posterior of a picture whose height and width are multiples of the scale factor. */
  public Posterior encode(Tensor picture) {
    Tensor moments = encoder.forward(picture);
    if (quantConv.isPresent()) {
      moments = consume(moments, quantConv.get()::forward);
    }
    int latent = config.latentChannels();
    try (Tensor both = moments) {
      Tensor mean = ops.sliceChannels(both, 0, latent);
      try (Tensor logvar = ops.sliceChannels(both, latent, 2 * latent)) {
        return new Posterior(mean, ops.clamp(logvar, LOGVAR_MIN, LOGVAR_MAX));
      } catch (RuntimeException e) {
        mean.close();
        throw e;
      }
    }
  }

  /** A picture; values may leave [-1, 1]. */
  public Tensor decode(Tensor latent) {
    if (postQuantConv.isEmpty()) {
      return decoder.forward(latent);
    }
    return consume(postQuantConv.get().forward(latent), decoder::forward);
  }

  /** Bytes of device memory that the weights hold. */
  public long bytes() {
    return parameters.bytes();
  }

  @Override
  public void close() {
    parameters.close();
  }

  /** A diagonal Gaussian over latents, [n, h, w, channels] each. */
  public record Posterior(Tensor mean, Tensor logvar) implements AutoCloseable {

    /** mean + exp(logvar / 2) * noise; once per picture, so on the host. */
    public Tensor sample(Ops ops, Tensor noise) {
      float[] value = ops.download(mean);
      float[] spread = ops.download(logvar);
      float[] normal = ops.download(noise);
      for (int i = 0; i < value.length; i++) {
        value[i] += (float) Math.exp(0.5 * spread[i]) * normal[i];
      }
      return ops.upload(value, mean.shape());
    }

    @Override
    public void close() {
      mean.close();
      logvar.close();
    }
  }
}

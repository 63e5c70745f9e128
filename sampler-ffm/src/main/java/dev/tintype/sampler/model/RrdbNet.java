package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.Conv2d;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.WeightSource;
import java.util.ArrayList;
import java.util.List;

/**
 * The upscaler of ESRGAN (Wang et al. 2018) as Real-ESRGAN publishes it: residual in residual dense
 * blocks, then twice nearest neighbour and a convolution. Pictures are [n, h, w, 3] in [0, 1].
 */
public final class RrdbNet implements AutoCloseable {
  private static final float RESIDUAL_SCALE = 0.2f;
  private static final Epilogue LEAKY = Epilogue.of(Activation.LEAKY_RELU_02);

  private final RrdbNetConfig config;
  private final Ops ops;
  private final Parameters parameters;
  private final Conv2d convFirst;
  private final List<Rrdb> body = new ArrayList<>();
  private final Conv2d convBody;
  private final Conv2d convUp1;
  private final Conv2d convUp2;
  private final Conv2d convHr;
  private final Conv2d convLast;

  private RrdbNet(RrdbNetConfig config, Parameters p) {
    this.config = config;
    this.ops = p.ops();
    this.parameters = p;
    int features = config.features();
    // Scale 2 is scale 4 on a picture of half the size with four times the channels.
    int in = config.scale() == 2 ? 3 * 4 : 3;
    convFirst = Conv2d.same3x3(p.below("conv_first"), in, features);
    for (int i = 0; i < config.blocks(); i++) {
      body.add(new Rrdb(p.below("body", i), features, config.growth()));
    }
    convBody = Conv2d.same3x3(p.below("conv_body"), features, features);
    convUp1 = Conv2d.same3x3(p.below("conv_up1"), features, features);
    convUp2 = Conv2d.same3x3(p.below("conv_up2"), features, features);
    convHr = Conv2d.same3x3(p.below("conv_hr"), features, features);
    convLast = Conv2d.same3x3(p.below("conv_last"), features, 3);
  }

  /** Prepares the weights of a checkpoint on the device. */
  public static RrdbNet load(RrdbNetConfig config, WeightSource weights, Ops ops) {
    Parameters parameters = Parameters.of(ops, weights);
    try {
      return new RrdbNet(config, parameters);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
  }

  public RrdbNetConfig config() {
    return config;
  }

  /** [n, h, w, 3] to [n, scale * h, scale * w, 3]; with scale 2, h and w must be even. */
  public Tensor forward(Tensor picture) {
    Tensor first =
        config.scale() == 2
            ? consume(ops.pixelUnshuffle(picture, 2), convFirst::forward)
            : convFirst.forward(picture);
    Tensor features = consume(first, this::trunk);
    features = consume(features, f -> upsampled(f, convUp1));
    features = consume(features, f -> upsampled(f, convUp2));
    features = consume(features, f -> convHr.forward(f, LEAKY));
    return consume(features, convLast::forward);
  }

  private Tensor trunk(Tensor first) {
    Tensor hidden = body.getFirst().forward(first);
    for (Rrdb block : body.subList(1, body.size())) {
      hidden = consume(hidden, block::forward);
    }
    return consume(hidden, h -> convBody.forward(h, Epilogue.NONE.withResidual(first)));
  }

  private Tensor upsampled(Tensor x, Conv2d conv) {
    int height = x.shape().intDim(1) * 2;
    int width = x.shape().intDim(2) * 2;
    return consume(ops.upsampleNearest(x, height, width), t -> conv.forward(t, LEAKY));
  }

  /** Bytes of device memory that the weights hold. */
  public long bytes() {
    return parameters.bytes();
  }

  @Override
  public void close() {
    parameters.close();
  }

  /** Three dense blocks around a residual. */
  private static final class Rrdb {
    private final Ops ops;
    private final List<DenseBlock> blocks = new ArrayList<>();

    Rrdb(Parameters p, int features, int growth) {
      ops = p.ops();
      for (String name : List.of("rdb1", "rdb2", "rdb3")) {
        blocks.add(new DenseBlock(p.below(name), features, growth));
      }
    }

    Tensor forward(Tensor x) {
      Tensor hidden = blocks.getFirst().forward(x);
      for (DenseBlock block : blocks.subList(1, blocks.size())) {
        hidden = consume(hidden, block::forward);
      }
      return consume(hidden, h -> ops.combine(RESIDUAL_SCALE, h, 1, x));
    }
  }

  /** Five convolutions, each over the input and the outputs of all before. */
  private static final class DenseBlock {
    private static final int CONVOLUTIONS = 5;

    private final Ops ops;
    private final List<Conv2d> convs = new ArrayList<>();

    DenseBlock(Parameters p, int features, int growth) {
      ops = p.ops();
      for (int i = 0; i < CONVOLUTIONS; i++) {
        int out = i == CONVOLUTIONS - 1 ? features : growth;
        convs.add(Conv2d.same3x3(p.below("conv" + (i + 1)), features + i * growth, out));
      }
    }

    Tensor forward(Tensor x) {
      Tensor seen = ops.scale(x, 1);
      for (Conv2d conv : convs.subList(0, CONVOLUTIONS - 1)) {
        seen =
            consume(
                seen,
                s -> consume(conv.forward(s, LEAKY), out -> ops.concatChannels(List.of(s, out))));
      }
      Epilogue residual = Epilogue.NONE.withScale(RESIDUAL_SCALE).withResidual(x);
      return consume(seen, s -> convs.getLast().forward(s, residual));
    }
  }
}

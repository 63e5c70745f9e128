package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.ClipAttention;
import dev.tintype.sampler.nn.LayerNorm;
import dev.tintype.sampler.nn.Linear;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Epilogue;
import java.util.ArrayList;
import java.util.List;

/** The transformer that CLIP's text and vision models share (transformers {@code CLIPEncoder}). */
final class ClipEncoder {
  private final List<Layer> layers = new ArrayList<>();

  ClipEncoder(
      Parameters p,
      int count,
      int hiddenSize,
      int intermediateSize,
      int heads,
      Activation activation,
      double normEpsilon) {
    for (int i = 0; i < count; i++) {
      layers.add(
          new Layer(
              p.below("layers", i), hiddenSize, intermediateSize, heads, activation, normEpsilon));
    }
  }

  /** Runs the first {@code count} layers; {@code x} is closed. */
  Tensor forward(Tensor x, int count, boolean causal) {
    Tensor hidden = x;
    for (Layer layer : layers.subList(0, count)) {
      hidden = consume(hidden, h -> layer.forward(h, causal));
    }
    return hidden;
  }

  /** Runs layer {@code index}; {@code x} stays open. */
  Tensor layer(int index, Tensor x, boolean causal) {
    return layers.get(index).forward(x, causal);
  }

  private static final class Layer {
    private final LayerNorm layerNorm1;
    private final ClipAttention selfAttn;
    private final LayerNorm layerNorm2;
    private final Linear fc1;
    private final Linear fc2;
    private final Activation activation;

    Layer(
        Parameters p,
        int hiddenSize,
        int intermediateSize,
        int heads,
        Activation activation,
        double normEpsilon) {
      layerNorm1 = new LayerNorm(p.below("layer_norm1"), hiddenSize, normEpsilon);
      selfAttn = new ClipAttention(p.below("self_attn"), hiddenSize, heads);
      layerNorm2 = new LayerNorm(p.below("layer_norm2"), hiddenSize, normEpsilon);
      fc1 = Linear.withBias(p.below("mlp.fc1"), hiddenSize, intermediateSize);
      fc2 = Linear.withBias(p.below("mlp.fc2"), intermediateSize, hiddenSize);
      this.activation = activation;
    }

    Tensor forward(Tensor x, boolean causal) {
      Tensor attended =
          consume(layerNorm1.forward(x), normed -> selfAttn.forward(normed, x, causal));
      return consume(
          attended,
          h -> {
            Tensor inner =
                consume(
                    layerNorm2.forward(h), normed -> fc1.forward(normed, Epilogue.of(activation)));
            return consume(inner, t -> fc2.forward(t, Epilogue.NONE.withResidual(h)));
          });
    }
  }
}

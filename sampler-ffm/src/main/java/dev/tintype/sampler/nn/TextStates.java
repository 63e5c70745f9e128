package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * What every cross-attention of a UNet makes of the encoded prompts: keys and values, computed once
 * per prompt and used at every step. Layer i of the list belongs to the i-th cross-attention in
 * construction order.
 */
public final class TextStates implements AutoCloseable {
  private final List<KeyValue> layers;

  private TextStates(List<KeyValue> layers) {
    this.layers = layers;
  }

  /** Encodes [n, tokens, channels] for each of the attention layers. */
  public static TextStates of(List<Attention> crossAttentions, Tensor context) {
    return collect(crossAttentions, attention -> attention.keyValue(context));
  }

  /** Joins states along the batch dimension into new tensors. */
  public static TextStates concat(Ops ops, List<TextStates> parts) {
    List<Integer> indices = new ArrayList<>();
    for (int i = 0; i < parts.getFirst().layers.size(); i++) {
      indices.add(i);
    }
    return collect(
        indices,
        layer -> {
          Tensor key = ops.concatBatch(parts.stream().map(p -> p.layer(layer).key()).toList());
          try {
            return new KeyValue(
                key, ops.concatBatch(parts.stream().map(p -> p.layer(layer).value()).toList()));
          } catch (RuntimeException e) {
            key.close();
            throw e;
          }
        });
  }

  private static <T> TextStates collect(List<T> items, Function<T, KeyValue> make) {
    List<KeyValue> layers = new ArrayList<>(items.size());
    try {
      for (T item : items) {
        layers.add(make.apply(item));
      }
    } catch (RuntimeException e) {
      layers.forEach(KeyValue::close);
      throw e;
    }
    return new TextStates(List.copyOf(layers));
  }

  /** New tensors with the same contents. */
  public TextStates copy(Ops ops) {
    return concat(ops, List.of(this));
  }

  /** Calls {@code copy} with every tensor of {@code from} and the one here in its place. */
  public void overwrite(TextStates from, BiConsumer<Tensor, Tensor> copy) {
    for (int i = 0; i < layers.size(); i++) {
      copy.accept(from.layer(i).key(), layer(i).key());
      copy.accept(from.layer(i).value(), layer(i).value());
    }
  }

  /** Items {@code from} to {@code to} (exclusive) of the batch, as views. */
  public TextStates slice(long from, long to) {
    return new TextStates(layers.stream().map(layer -> layer.slice(from, to)).toList());
  }

  KeyValue layer(int index) {
    return layers.get(index);
  }

  /** How many prompts. */
  public long rows() {
    return layers.isEmpty() ? 0 : layers.getFirst().key().shape().dim(0);
  }

  /** Tokens of a prompt, padding included. */
  public long tokens() {
    return layers.isEmpty() ? 0 : layers.getFirst().key().shape().dim(1);
  }

  /** Of device memory. */
  public long bytes() {
    return layers.stream().mapToLong(layer -> layer.key().bytes() + layer.value().bytes()).sum();
  }

  @Override
  public void close() {
    layers.forEach(KeyValue::close);
  }
}

package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * Encoded texts that are in fashion, on the host, bounded in bytes; what was not used for longest
 * goes first. Prompts that become the same tokens are one text. A text of SDXL takes 0.6 MB, one of
 * Stable Diffusion 1.5 a fourth. For the pipeline's thread; the counts may be read by any.
 */
final class TextCache {
  /** Some hundred texts: more than the prompts of a minute, and little beside a model. */
  static final long BYTES_MAX = 64L * 1024 * 1024;

  /** Per entry, beside its numbers: the key with 77 tokens per encoder, and the maps. */
  private static final long ENTRY_BYTES = 4_096;

  /**
   * What decides an encoded text, beside the model.
   *
   * @param tokens of every encoder, one list after the other
   * @param clipSkip layers left out
   */
  record Key(List<Integer> tokens, int clipSkip) {}

  /**
   * @param states of that shape
   * @param pooled SDXL's
   */
  record Text(float[] states, Shape shape, Optional<float[]> pooled) {
    long bytes() {
      int numbers = states.length + pooled.map(values -> values.length).orElse(0);
      return ENTRY_BYTES + (long) numbers * Float.BYTES;
    }
  }

  private final Map<Key, Text> texts = new LinkedHashMap<>(16, 0.75f, true);
  private final long bytesMax;
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private long bytes;

  TextCache(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  Optional<Text> get(Key key) {
    Optional<Text> found = Optional.ofNullable(texts.get(key));
    (found.isPresent() ? hits : misses).increment();
    return found;
  }

  /** A text larger than the bound is not kept. */
  void put(Key key, Text text) {
    Text old = texts.put(key, text);
    bytes += text.bytes() - (old == null ? 0 : old.bytes());
    while (bytes > bytesMax) {
      bytes -= texts.remove(texts.keySet().iterator().next()).bytes();
    }
  }

  long bytes() {
    return bytes;
  }

  TextCacheCounts counts() {
    return new TextCacheCounts(hits.sum(), misses.sum());
  }
}

package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attention as two batched products with a softmax between them. Heads are the batch of the
 * products, read in place by strides; queries go through in pieces, so that the scores of a piece
 * stay in the cache and memory is bounded whatever the size of the picture.
 */
final class OneDnnAttention {
  /** Most bytes of scores at one time, unless one query alone needs more. */
  static final long SCORE_BYTES_MAX = 8L << 20;

  private record ScoresKey(
      long queries, long keys, int heads, long depth, float scale, boolean masked) {}

  private record SoftmaxKey(long rows, long keys) {}

  private record ResultKey(long queries, long keys, int heads, long depth) {}

  private final Engine engine;

  OneDnnAttention(Engine engine) {
    this.engine = engine;
  }

  Tensor apply(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    long batch = q.shape().dim(0);
    long queries = q.shape().dim(1);
    long keys = k.shape().dim(1);
    long channels = q.shape().dim(2);
    long piece = Math.clamp(SCORE_BYTES_MAX / (4 * heads * keys), 1, queries);
    Tensor result = engine.workspace().tensor(q.shape());
    try (Tensor scores = engine.workspace().tensor(Shape.of(heads, piece, keys));
        Tensor mask = engine.workspace().tensor(Shape.of(causal ? piece : 0, keys))) {
      for (long first = 0; first < queries; first += piece) {
        long count = Math.min(piece, queries - first);
        if (causal) {
          fillMask(mask.data(), first, count, keys);
        }
        ScoresKey key = new ScoresKey(count, keys, heads, channels / heads, scale, causal);
        Primitive toScores = engine.primitive(key, () -> scores(key));
        SoftmaxKey softmaxKey = new SoftmaxKey(heads * count, keys);
        Primitive softmax = engine.primitive(softmaxKey, () -> softmax(softmaxKey));
        ResultKey resultKey = new ResultKey(count, keys, heads, channels / heads);
        Primitive toResult = engine.primitive(resultKey, () -> result(resultKey));
        for (long n = 0; n < batch; n++) {
          long offset = 4 * (n * queries + first) * channels;
          MemorySegment query = q.data().asSlice(offset);
          MemorySegment key1 = k.slice(n, n + 1).data();
          if (causal) {
            toScores.execute(query, key1, scores.data(), mask.data());
          } else {
            toScores.execute(query, key1, scores.data());
          }
          softmax.execute(scores.data(), scores.data());
          toResult.execute(scores.data(), v.slice(n, n + 1).data(), result.data().asSlice(offset));
        }
      }
    }
    return result;
  }

  /** Row i of the piece is query first + i, which sees keys 0 .. first + i. */
  private static void fillMask(MemorySegment mask, long first, long count, long keys) {
    for (long i = 0; i < count; i++) {
      for (long s = 0; s < keys; s++) {
        float value = s <= first + i ? 0 : Float.NEGATIVE_INFINITY;
        mask.setAtIndex(ValueLayout.JAVA_FLOAT, i * keys + s, value);
      }
    }
  }

  /** [heads, queries, depth] times [heads, depth, keys], scaled, plus the mask. */
  private Primitive scores(ScoresKey key) {
    long channels = key.heads() * key.depth();
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      attributes.scale(key.scale());
      int mask = key.masked() ? attributes.add(d.dense(1, key.queries(), key.keys())) : 0;
      int[] arguments = {Dnnl.DNNL_ARG_SRC(), Dnnl.DNNL_ARG_WEIGHTS(), Dnnl.DNNL_ARG_DST()};
      return product(
          d,
          attributes,
          d.strided(
              new long[] {key.heads(), key.queries(), key.depth()},
              new long[] {key.depth(), channels, 1}),
          d.strided(
              new long[] {key.heads(), key.depth(), key.keys()},
              new long[] {key.depth(), 1, channels}),
          d.dense(key.heads(), key.queries(), key.keys()),
          key.masked() ? OneDnnConv2d.append(arguments, mask) : arguments);
    }
  }

  /** [heads, queries, keys] times [heads, keys, depth], written into the heads' channels. */
  private Primitive result(ResultKey key) {
    long channels = key.heads() * key.depth();
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      return product(
          d,
          attributes,
          d.dense(key.heads(), key.queries(), key.keys()),
          d.strided(
              new long[] {key.heads(), key.keys(), key.depth()},
              new long[] {key.depth(), channels, 1}),
          d.strided(
              new long[] {key.heads(), key.queries(), key.depth()},
              new long[] {key.depth(), channels, 1}),
          Dnnl.DNNL_ARG_SRC(),
          Dnnl.DNNL_ARG_WEIGHTS(),
          Dnnl.DNNL_ARG_DST());
    }
  }

  private Primitive product(
      Descriptors d,
      Attributes attributes,
      MemorySegment left,
      MemorySegment right,
      MemorySegment target,
      int... arguments) {
    MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
    check(
        Dnnl.dnnl_matmul_primitive_desc_create(
            description,
            engine.handle(),
            left,
            right,
            MemorySegment.NULL,
            target,
            attributes.handle()),
        "matmul_primitive_desc_create");
    return new Primitive(engine, description.get(ValueLayout.ADDRESS, 0), arguments);
  }

  private Primitive softmax(SoftmaxKey key) {
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      MemorySegment rows = d.dense(key.rows(), key.keys());
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      check(
          Dnnl.dnnl_softmax_forward_primitive_desc_create(
              description,
              engine.handle(),
              Dnnl.dnnl_forward_inference(),
              Dnnl.dnnl_softmax_accurate(),
              rows,
              rows,
              1,
              attributes.handle()),
          "softmax_forward_primitive_desc_create");
      return new Primitive(
          engine,
          description.get(ValueLayout.ADDRESS, 0),
          Dnnl.DNNL_ARG_SRC(),
          Dnnl.DNNL_ARG_DST());
    }
  }
}

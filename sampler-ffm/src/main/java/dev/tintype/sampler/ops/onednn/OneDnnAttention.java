package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.VectorMath.LANES;
import static dev.tintype.sampler.ops.onednn.VectorMath.SPECIES;
import static dev.tintype.sampler.ops.onednn.VectorMath.first;
import static dev.tintype.sampler.ops.onednn.VectorMath.load;
import static dev.tintype.sampler.ops.onednn.VectorMath.store;

import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention in one parallel loop over (sample, head, piece of the queries). A task multiplies its
 * queries with all keys, takes the softmax of its rows and multiplies with the values; its scores
 * stay in the cache of its processor, so memory is bounded whatever the size of the picture. Keys
 * and values are packed once per head for oneDNN's kernels. The loop has no barrier inside: on a
 * machine that others use too, threads wait for each other once instead of three times per piece.
 */
final class OneDnnAttention {
  /** Scores of one task: half of a common second-level cache. */
  private static final long SCORE_BYTES = 512 * 1024;

  /** Queries per task, at most: enough to amortise reading the packed keys. */
  private static final long QUERIES_MAX = 128;

  /** Queries per task, at least, even if the scores then exceed SCORE_BYTES. */
  private static final long QUERIES_MIN = 32;

  /** Keys are rounded up to a multiple of this: kernels for other counts copy their operands. */
  private static final long KEYS_MULTIPLE = 16;

  private final Engine engine;
  private final Products products;

  OneDnnAttention(Engine engine) {
    this.engine = engine;
    this.products = new Products(engine);
  }

  /**
   * Extents of one call.
   *
   * @param seen keys there are
   * @param keys the same, rounded up; the rest are zeros and get no weight
   * @param piece queries per task
   */
  private record Plan(
      long batch, long queries, long seen, long keys, int heads, long depth, long piece) {
    static Plan of(Tensor q, Tensor k, int heads) {
      long queries = q.shape().dim(1);
      long seen = k.shape().dim(1);
      long keys = (seen + KEYS_MULTIPLE - 1) / KEYS_MULTIPLE * KEYS_MULTIPLE;
      long piece = Math.clamp(SCORE_BYTES / (4 * keys), QUERIES_MIN, QUERIES_MAX);
      return new Plan(
          q.shape().dim(0),
          queries,
          seen,
          keys,
          heads,
          q.shape().dim(2) / heads,
          Math.min(queries, piece));
    }

    long channels() {
      return heads * depth;
    }

    int allHeads() {
      return Math.toIntExact(batch * heads);
    }

    int pieces() {
      return Math.toIntExact((queries + piece - 1) / piece);
    }

    /** Byte offset of a row of a head, head counting through the samples. */
    long offset(long head, long rows, long row) {
      return 4 * ((head / heads * rows + row) * channels() + head % heads * depth);
    }

    /** What one thread takes, about: 60 GFLOP/s. */
    double nanos() {
      return 4.0 * batch * queries * keys * channels() / 60;
    }

    /** The same of packing. */
    double packNanos() {
      return 2.0 * batch * keys * channels() * 0.5;
    }

    Products.Key toScores(long rows) {
      return new Products.Key(rows, depth, keys, channels(), keys);
    }

    Products.Key toResult(long rows) {
      return new Products.Key(rows, keys, depth, keys, channels());
    }
  }

  /** Packed right sides, one per head. */
  private record Packed(MemorySegment data, long headBytes) {
    MemorySegment of(long head) {
      return data.asSlice(head * headBytes, headBytes);
    }
  }

  Tensor apply(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    Plan plan = Plan.of(q, k, heads);
    Workspace workspace = engine.workspace();
    Packed keys = acquire(plan, plan.toScores(plan.piece()));
    Packed values = acquire(plan, plan.toResult(plan.piece()));
    long laneBytes = (4 * plan.piece() * plan.keys() + 63) & -64;
    MemorySegment scores = workspace.acquire(engine.team().threads() * laneBytes);
    try {
      pack(plan, k, keys, plan.toScores(plan.piece()), true);
      pack(plan, v, values, plan.toResult(plan.piece()), false);
      Tensor result = workspace.tensor(q.shape());
      attend(plan, q, keys, values, scores, laneBytes, scale, causal, result);
      return result;
    } finally {
      workspace.release(scores);
      workspace.release(values.data());
      workspace.release(keys.data());
    }
  }

  private Packed acquire(Plan plan, Products.Key product) {
    long bytes = (products.packedBytes(product) + 63) & -64;
    return new Packed(engine.workspace().acquire(plan.allHeads() * bytes), bytes);
  }

  private void attend(
      Plan plan,
      Tensor q,
      Packed keys,
      Packed values,
      MemorySegment scores,
      long laneBytes,
      float scale,
      boolean causal,
      Tensor result) {
    long tail = plan.queries() % plan.piece();
    Primitive toScores = products.product(plan.toScores(plan.piece()));
    Primitive toResult = products.product(plan.toResult(plan.piece()));
    Primitive tailToScores = tail == 0 ? toScores : products.product(plan.toScores(tail));
    Primitive tailToResult = tail == 0 ? toResult : products.product(plan.toResult(tail));
    MemorySegment from = q.data();
    MemorySegment to = result.data();
    int pieces = plan.pieces();
    engine
        .team()
        .parallelLanes(
            plan.allHeads() * pieces,
            plan.nanos(),
            (lane, task) -> {
              int head = task / pieces;
              long begin = task % pieces * plan.piece();
              long rows = Math.min(plan.piece(), plan.queries() - begin);
              boolean full = rows == plan.piece();
              long offset = plan.offset(head, plan.queries(), begin);
              MemorySegment own = scores.asSlice(lane * laneBytes, laneBytes);
              MemorySegment target = to.asSlice(offset);
              float[] inverse = new float[(int) rows];
              (full ? toScores : tailToScores)
                  .executeOn(lane, from.asSlice(offset), keys.of(head), own);
              for (int i = 0; i < rows; i++) {
                long seen = causal ? begin + i + 1 : plan.seen();
                inverse[i] = weigh(own, i * plan.keys(), seen, plan.keys(), scale);
              }
              (full ? toResult : tailToResult).executeOn(lane, own, values.of(head), target);
              normalise(target, inverse, plan.depth(), plan.channels());
            });
  }

  /** Packs each head of [batch, seen, channels], as the right side of {@code product}. */
  private void pack(
      Plan plan, Tensor plain, Packed packed, Products.Key product, boolean transposed) {
    try (Tensor padded = padded(plan, plain)) {
      MemorySegment data = (padded == null ? plain : padded).data();
      long channels = plan.channels();
      Primitive pack =
          products.pack(
              new Products.PackKey(product, transposed ? 1 : channels, transposed ? channels : 1));
      engine
          .team()
          .parallelLanes(
              plan.allHeads(),
              plan.packNanos(),
              (lane, head) ->
                  pack.executeOn(
                      lane, data.asSlice(plan.offset(head, plan.keys(), 0)), packed.of(head)));
    }
  }

  /** [batch, keys, channels] with zeros behind the keys there are; null when there is no behind. */
  private Tensor padded(Plan plan, Tensor plain) {
    if (plan.seen() == plan.keys()) {
      return null;
    }
    Tensor padded = engine.workspace().tensor(plain.shape().with(1, plan.keys()));
    long bytes = 4 * plan.seen() * plan.channels();
    for (long n = 0; n < plan.batch(); n++) {
      MemorySegment to = padded.slice(n, n + 1).data();
      MemorySegment.copy(plain.data(), n * bytes, to, 0, bytes);
      to.asSlice(bytes).fill((byte) 0);
    }
    return padded;
  }

  /**
   * Replaces the first {@code seen} scores of a row by e^((score - largest) scale), the others by
   * zero; returns one over their sum.
   */
  private static float weigh(MemorySegment scores, long row, long seen, long keys, float scale) {
    long full = seen / LANES * LANES;
    VectorMask<Float> mask = first(seen - full);
    FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (long s = 0; s < full; s += LANES) {
      largest = largest.max(load(scores, row + s));
    }
    if (full < seen) {
      largest = largest.lanewise(VectorOperators.MAX, load(scores, row + full, mask), mask);
    }
    float factor = scale * VectorMath.LOG2_E;
    float shift = largest.reduceLanes(VectorOperators.MAX);
    FloatVector sum = FloatVector.zero(SPECIES);
    for (long s = 0; s < full; s += LANES) {
      FloatVector weight = VectorMath.powerOfTwo(load(scores, row + s).sub(shift).mul(factor));
      store(weight, scores, row + s);
      sum = sum.add(weight);
    }
    if (full < seen) {
      FloatVector weight =
          VectorMath.powerOfTwo(load(scores, row + full, mask).sub(shift).mul(factor));
      store(weight, scores, row + full, mask);
      sum = sum.add(weight, mask);
    }
    if (seen < keys) {
      scores.asSlice(4 * (row + seen), 4 * (keys - seen)).fill((byte) 0);
    }
    return 1 / VectorMath.sum(sum);
  }

  private static void normalise(MemorySegment result, float[] inverse, long depth, long stride) {
    for (int i = 0; i < inverse.length; i++) {
      long row = i * stride;
      long c = 0;
      for (; c + LANES <= depth; c += LANES) {
        store(load(result, row + c).mul(inverse[i]), result, row + c);
      }
      if (c < depth) {
        VectorMask<Float> mask = first(depth - c);
        store(load(result, row + c, mask).mul(inverse[i]), result, row + c, mask);
      }
    }
  }
}

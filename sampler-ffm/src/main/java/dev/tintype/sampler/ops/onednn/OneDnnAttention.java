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

  private final Engine engine;
  private final Products products;

  OneDnnAttention(Engine engine) {
    this.engine = engine;
    this.products = new Products(engine);
  }

  /** Extents of one call. */
  private record Plan(long batch, long queries, long keys, int heads, long depth, long piece) {
    long channels() {
      return heads * depth;
    }

    int pieces() {
      return Math.toIntExact((queries + piece - 1) / piece);
    }

    Products.Key toScores(long rows) {
      return new Products.Key(rows, depth, keys, channels(), keys);
    }

    Products.Key toResult(long rows) {
      return new Products.Key(rows, keys, depth, keys, channels());
    }
  }

  Tensor apply(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    long queries = q.shape().dim(1);
    long keys = k.shape().dim(1);
    long fitting = Math.clamp(SCORE_BYTES / (4 * keys), QUERIES_MIN, QUERIES_MAX);
    Plan plan =
        new Plan(
            q.shape().dim(0),
            queries,
            keys,
            heads,
            q.shape().dim(2) / heads,
            Math.min(queries, fitting));
    Tensor result = engine.workspace().tensor(q.shape());
    long keyBytes = products.packedBytes(plan.toScores(plan.piece()));
    long valueBytes = products.packedBytes(plan.toResult(plan.piece()));
    Workspace workspace = engine.workspace();
    MemorySegment packedKeys = workspace.acquire(plan.batch() * heads * keyBytes);
    MemorySegment packedValues = workspace.acquire(plan.batch() * heads * valueBytes);
    long laneBytes = (4 * plan.piece() * keys + 63) & -64;
    MemorySegment scores = workspace.acquire(engine.team().threads() * laneBytes);
    try {
      pack(plan, k, v, packedKeys, keyBytes, packedValues, valueBytes);
      long tail = queries % plan.piece();
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
              Math.toIntExact(plan.batch() * heads * pieces),
              (lane, task) -> {
                long head = task / pieces;
                long begin = task % pieces * plan.piece();
                long rows = Math.min(plan.piece(), queries - begin);
                boolean full = rows == plan.piece();
                long offset =
                    4
                        * ((head / heads * queries + begin) * plan.channels()
                            + head % heads * plan.depth());
                MemorySegment own = scores.asSlice(lane * laneBytes, laneBytes);
                MemorySegment target = to.asSlice(offset);
                float[] inverse = new float[(int) rows];
                (full ? toScores : tailToScores)
                    .executeOn(
                        lane,
                        from.asSlice(offset),
                        packedKeys.asSlice(head * keyBytes, keyBytes),
                        own);
                for (int i = 0; i < rows; i++) {
                  long seen = causal ? begin + i + 1 : keys;
                  inverse[i] = exponentials(own, i * keys, seen, keys, scale);
                }
                (full ? toResult : tailToResult)
                    .executeOn(
                        lane, own, packedValues.asSlice(head * valueBytes, valueBytes), target);
                normalise(target, inverse, plan.depth(), plan.channels());
              });
    } finally {
      workspace.release(scores);
      workspace.release(packedValues);
      workspace.release(packedKeys);
    }
    return result;
  }

  private void pack(
      Plan plan,
      Tensor k,
      Tensor v,
      MemorySegment packedKeys,
      long keyBytes,
      MemorySegment packedValues,
      long valueBytes) {
    Products.Key toScores = plan.toScores(plan.piece());
    Products.Key toResult = plan.toResult(plan.piece());
    // Transposed keys: neighbours along the depth are neighbours in memory.
    Primitive packKeys = products.pack(new Products.PackKey(toScores, 1, plan.channels()));
    Primitive packValues = products.pack(new Products.PackKey(toResult, plan.channels(), 1));
    MemorySegment keys = k.data();
    MemorySegment values = v.data();
    engine
        .team()
        .parallelLanes(
            Math.toIntExact(plan.batch() * plan.heads()),
            (lane, head) -> {
              long sample = head / plan.heads();
              long offset =
                  4 * (sample * plan.keys() * plan.channels() + head % plan.heads() * plan.depth());
              packKeys.executeOn(
                  lane, keys.asSlice(offset), packedKeys.asSlice(head * keyBytes, keyBytes));
              packValues.executeOn(
                  lane,
                  values.asSlice(offset),
                  packedValues.asSlice(head * valueBytes, valueBytes));
            });
  }

  /**
   * Replaces the first {@code seen} scores of a row by exp((score - largest) * scale), the others
   * by zero; returns one over their sum.
   */
  private static float exponentials(
      MemorySegment scores, long row, long seen, long keys, float scale) {
    long full = seen / LANES * LANES;
    VectorMask<Float> mask = first(seen - full);
    FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (long s = 0; s < full; s += LANES) {
      largest = largest.max(load(scores, row + s));
    }
    if (full < seen) {
      largest = largest.lanewise(VectorOperators.MAX, load(scores, row + full, mask), mask);
    }
    float shift = -scale * largest.reduceLanes(VectorOperators.MAX);
    FloatVector shifts = FloatVector.broadcast(SPECIES, shift);
    FloatVector scales = FloatVector.broadcast(SPECIES, scale);
    FloatVector sum = FloatVector.zero(SPECIES);
    for (long s = 0; s < full; s += LANES) {
      FloatVector weight = VectorMath.exp(load(scores, row + s).fma(scales, shifts));
      store(weight, scores, row + s);
      sum = sum.add(weight);
    }
    if (full < seen) {
      FloatVector weight = VectorMath.exp(load(scores, row + full, mask).fma(scales, shifts));
      store(weight, scores, row + full, mask);
      sum = sum.add(weight, mask);
    }
    if (seen < keys) {
      scores.asSlice(4 * (row + seen), 4 * (keys - seen)).fill((byte) 0);
    }
    return 1 / sum.reduceLanes(VectorOperators.ADD);
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

package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Embedding rows in native memory. */
record NativeTable(MemorySegment values, int rows, int channels) implements PreparedWeights.Table {

  static NativeTable of(HostTensor table) {
    MemorySegment values = NativeMemory.allocate(4 * table.shape().elements());
    float[] floats = table.toFloats();
    MemorySegment.copy(floats, 0, values, ValueLayout.JAVA_FLOAT, 0, floats.length);
    return new NativeTable(values, table.shape().intDim(0), table.shape().intDim(1));
  }

  Tensor lookUp(int[][] ids, Workspace workspace) {
    int tokens = ids[0].length;
    Tensor result = workspace.tensor(Shape.of(ids.length, tokens, channels));
    long rowBytes = 4L * channels;
    for (int n = 0; n < ids.length; n++) {
      for (int t = 0; t < tokens; t++) {
        long target = ((long) n * tokens + t) * rowBytes;
        MemorySegment.copy(values, ids[n][t] * rowBytes, result.data(), target, rowBytes);
      }
    }
    return result;
  }

  @Override
  public long bytes() {
    return values.byteSize();
  }

  @Override
  public void close() {
    NativeMemory.free(values);
  }
}

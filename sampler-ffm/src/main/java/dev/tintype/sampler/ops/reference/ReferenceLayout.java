package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.util.List;

/** Verbs that move values and do no arithmetic, by the index of each result element. */
final class ReferenceLayout {
  private ReferenceLayout() {}

  static float[] concatChannels(List<Tensor> parts, Shape out) {
    float[] result = new float[Math.toIntExact(out.elements())];
    int channels = out.intDim(-1);
    int first = 0;
    for (Tensor part : parts) {
      float[] values = HeapTensors.read(part);
      int own = part.shape().intDim(-1);
      for (int i = 0; i < values.length; i++) {
        result[i / own * channels + first + i % own] = values[i];
      }
      first += own;
    }
    return result;
  }

  static float[] concatBatch(List<Tensor> parts, Shape out) {
    float[] result = new float[Math.toIntExact(out.elements())];
    int offset = 0;
    for (Tensor part : parts) {
      float[] values = HeapTensors.read(part);
      System.arraycopy(values, 0, result, offset, values.length);
      offset += values.length;
    }
    return result;
  }

  static float[] sliceChannels(Tensor x, int from, int to) {
    float[] values = HeapTensors.read(x);
    int channels = x.shape().intDim(-1);
    int own = to - from;
    float[] result = new float[values.length / channels * own];
    for (int i = 0; i < result.length; i++) {
      result[i] = values[i / own * channels + from + i % own];
    }
    return result;
  }

  static float[] upsampleNearest(Tensor x, int height, int width) {
    Shape in = x.shape();
    float[] values = HeapTensors.read(x);
    int channels = in.intDim(3);
    float[] result = new float[in.intDim(0) * height * width * channels];
    int i = 0;
    for (int n = 0; n < in.intDim(0); n++) {
      for (int y = 0; y < height; y++) {
        int sourceY = (int) (y * in.dim(1) / height);
        for (int column = 0; column < width; column++) {
          int sourceX = (int) (column * in.dim(2) / width);
          int source = ((n * in.intDim(1) + sourceY) * in.intDim(2) + sourceX) * channels;
          for (int c = 0; c < channels; c++) {
            result[i++] = values[source + c];
          }
        }
      }
    }
    return result;
  }

  /** Channel c f f + dy f + dx of the result is channel c at (y f + dy, x f + dx). */
  static float[] pixelUnshuffle(Tensor x, int factor, Shape out) {
    Shape in = x.shape();
    float[] values = HeapTensors.read(x);
    float[] result = new float[values.length];
    int i = 0;
    for (int n = 0; n < out.intDim(0); n++) {
      for (int y = 0; y < out.intDim(1); y++) {
        for (int column = 0; column < out.intDim(2); column++) {
          for (int o = 0; o < out.intDim(3); o++) {
            int c = o / (factor * factor);
            int sourceY = y * factor + o / factor % factor;
            int sourceX = column * factor + o % factor;
            result[i++] =
                values[((n * in.intDim(1) + sourceY) * in.intDim(2) + sourceX) * in.intDim(3) + c];
          }
        }
      }
    }
    return result;
  }

  /** Swaps the two inner blocks of [n, a, b]: [n, rows, columns] to [n, columns, rows]. */
  static float[] transpose(Tensor x, int batch, int rows, int columns) {
    float[] values = HeapTensors.read(x);
    float[] result = new float[values.length];
    for (int n = 0; n < batch; n++) {
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          result[(n * columns + c) * rows + r] = values[(n * rows + r) * columns + c];
        }
      }
    }
    return result;
  }

  static float[] selectTokens(Tensor x, int[] index) {
    float[] values = HeapTensors.read(x);
    int tokens = x.shape().intDim(1);
    int channels = x.shape().intDim(2);
    float[] result = new float[index.length * channels];
    for (int n = 0; n < index.length; n++) {
      System.arraycopy(values, (n * tokens + index[n]) * channels, result, n * channels, channels);
    }
    return result;
  }
}

package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.PreparedWeights;

/** Weights as the checkpoint has them, in fp32. An absent bias is all zeros. */
final class ReferenceWeights {
  private ReferenceWeights() {}

  record Conv2d(
      float[] kernel, float[] bias, Conv2dGeometry geometry, int inChannels, int outChannels)
      implements PreparedWeights.Conv2d {
    @Override
    public long bytes() {
      return 4L * (kernel.length + bias.length);
    }

    @Override
    public void close() {}
  }

  record Linear(float[] matrix, float[] bias, int inFeatures, int outFeatures)
      implements PreparedWeights.Linear {
    @Override
    public long bytes() {
      return 4L * (matrix.length + bias.length);
    }

    @Override
    public void close() {}
  }

  record Norm(float[] scale, float[] shift) implements PreparedWeights.Norm {
    @Override
    public int channels() {
      return scale.length;
    }

    @Override
    public long bytes() {
      return 4L * (scale.length + shift.length);
    }

    @Override
    public void close() {}
  }

  record Table(float[] values, int rows, int channels) implements PreparedWeights.Table {
    @Override
    public long bytes() {
      return 4L * values.length;
    }

    @Override
    public void close() {}
  }
}

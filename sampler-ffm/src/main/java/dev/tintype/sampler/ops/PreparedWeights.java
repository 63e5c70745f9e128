package dev.tintype.sampler.ops;

/**
 * Weights of one layer on a device, in the layout that device computes fastest with. Made once at
 * load by the {@code prepare} verbs of {@link Ops}; opaque to everyone else; closed with the model.
 */
public interface PreparedWeights extends AutoCloseable {
  /** Bytes of device memory held. */
  long bytes();

  @Override
  void close();

  /** Convolution: [out, in, kernelHeight, kernelWidth] and an optional bias [out]. */
  interface Conv2d extends PreparedWeights {
    Conv2dGeometry geometry();

    int inChannels();

    int outChannels();
  }

  /** Linear layer: [out, in] and an optional bias [out]. */
  interface Linear extends PreparedWeights {
    int inFeatures();

    int outFeatures();
  }

  /** Scale and shift of a GroupNorm or LayerNorm: [channels] each. */
  interface Norm extends PreparedWeights {
    int channels();
  }

  /** Rows to look up: [rows, channels]. */
  interface Table extends PreparedWeights {
    int rows();

    int channels();
  }
}

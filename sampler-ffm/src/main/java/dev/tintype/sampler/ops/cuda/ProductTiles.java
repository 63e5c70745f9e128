package dev.tintype.sampler.ops.cuda;

/**
 * How our own product kernels cut their result: on the tensor cores where the operands can be read
 * 16 bytes at a time, else in fp32 arithmetic (gemm_mma.cuh, gemm.cuh). What decides between the
 * two is the same for every batch, and tiles of either size sum in the same order, so that the bits
 * of a row do not depend on how many there are.
 *
 * @param kernel after linear, linear_geglu or conv2d
 * @param extent rows and columns of a block's tile; of GEGLU's columns, values and gates together
 */
record ProductTiles(String kernel, int extent, int threads, long sharedBytes) {
  private static final ProductTiles PLAIN = new ProductTiles("", 64, Kernels.THREADS, 0);

  /** Two stages of both operands, rows of 32 values and 8 more. */
  private static final ProductTiles SMALL = new ProductTiles("_mma_64", 64, 128, 4L * 128 * 40);

  private static final ProductTiles LARGE = new ProductTiles("_mma_128", 128, 256, 4L * 256 * 40);

  /** As many tiles keep every multiprocessor of a large card busy. */
  private static final long TILES_MIN = 128;

  /** Elements of 16 bytes. */
  private static final int CHUNK = 8;

  private static final long CHUNK_BYTES = 16;

  /** A stage of the tensor cores' kernels; one that is nearly empty costs as much as a full one. */
  private static final int DEPTH_MIN = 32;

  /**
   * Whatever the columns: tiles of the other kernels are as empty when these are few.
   *
   * @param contiguous elements of the left operand that lie beside each other for certain: the
   *     features, or the channels of a pixel
   * @param depth products in each sum
   */
  static boolean usesTensorCores(Kernels kernels, int contiguous, int depth) {
    return kernels.haveTensorCores() && contiguous % CHUNK == 0 && depth >= DEPTH_MIN;
  }

  static ProductTiles of(Kernels kernels, MatrixProduct.Call call, int contiguous) {
    boolean aligned = Long.lowestOneBit(call.x() | call.weights()) >= CHUNK_BYTES;
    if (!aligned || !usesTensorCores(kernels, contiguous, call.inFeatures())) {
      return PLAIN;
    }
    long tiles =
        Math.ceilDiv(call.rows(), LARGE.extent)
            * Math.ceilDiv((long) call.outFeatures(), LARGE.extent);
    return tiles >= TILES_MIN && call.outFeatures() > SMALL.extent ? LARGE : SMALL;
  }

  /** In fp32 arithmetic. */
  boolean isPlain() {
    return this == PLAIN;
  }

  /** Launches {@code verb}, whose arguments are set, over all tiles of the result. */
  void launch(Kernels kernels, String verb, MatrixProduct.Call call) {
    kernels.launch(
        kernels.typed(verb + kernel),
        Math.ceilDiv(call.rows(), extent),
        Math.ceilDiv(call.outFeatures(), extent),
        1,
        threads,
        sharedBytes);
  }
}

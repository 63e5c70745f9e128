/**
 * The CUDA device: our kernels, cuDNN and cublasLt, called through the FFM API. {@code CudaRuntime}
 * is the seam to the driver: the real one, or a CPU emulator of our kernels in tests, which can
 * also inject errors. One stream, one thread; memory comes from plain cudaMalloc and is recycled.
 */
package dev.tintype.sampler.ops.cuda;

/**
 * The numeric verbs of the engine behind one small interface, and their implementations: {@code
 * ReferenceOps} in plain Java is the oracle, {@code OneDnnOps} the CPU, {@code CudaOps} the GPU.
 * All take and give dense NHWC tensors and accumulate in at least fp32. A verb allocates its result
 * from the workspace of its device; the caller closes it.
 */
package dev.tintype.sampler.ops;

package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.bindings.cudnn.cudnnConvolutionFwdAlgoPerfStruct;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A convolution through cuDNN's older API of fixed functions: no bias, equal padding only. */
final class CudnnFixedPlan implements AutoCloseable {
  private static final int CANDIDATES_MAX = 8;

  /** cudnnDeterminism_t: CUDNN_DETERMINISTIC. */
  private static final int DETERMINISTIC = 1;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment out = arena.allocate(ADDRESS);
  private final MemorySegment one = arena.allocateFrom(JAVA_FLOAT, 1f);
  private final MemorySegment zero = arena.allocateFrom(JAVA_FLOAT, 0f);
  private final MemorySegment x;
  private final MemorySegment w;
  private final MemorySegment y;
  private final MemorySegment convolution;
  private int algorithm;
  private long workspaceBytes;

  private CudnnFixedPlan(Convolution.Problem p, DType dtype) {
    int type = CudnnOperations.type(dtype);
    int nhwc = Cudnn.CUDNN_TENSOR_NHWC();
    Conv2dGeometry g = p.geometry();
    check(Cudnn.cudnnCreateTensorDescriptor(out), "cudnnCreateTensorDescriptor");
    x = out.get(ADDRESS, 0);
    check(Cudnn.cudnnCreateTensorDescriptor(out), "cudnnCreateTensorDescriptor");
    y = out.get(ADDRESS, 0);
    check(Cudnn.cudnnCreateFilterDescriptor(out), "cudnnCreateFilterDescriptor");
    w = out.get(ADDRESS, 0);
    check(Cudnn.cudnnCreateConvolutionDescriptor(out), "cudnnCreateConvolutionDescriptor");
    convolution = out.get(ADDRESS, 0);
    check(
        Cudnn.cudnnSetTensor4dDescriptor(
            x, nhwc, type, p.samples(), p.inChannels(), p.height(), p.width()),
        "cudnnSetTensor4dDescriptor");
    check(
        Cudnn.cudnnSetTensor4dDescriptor(
            y, nhwc, type, p.samples(), p.outChannels(), p.outHeight(), p.outWidth()),
        "cudnnSetTensor4dDescriptor");
    check(
        Cudnn.cudnnSetFilter4dDescriptor(
            w, type, nhwc, p.outChannels(), p.inChannels(), g.kernelHeight(), g.kernelWidth()),
        "cudnnSetFilter4dDescriptor");
    check(
        Cudnn.cudnnSetConvolution2dDescriptor(
            convolution,
            g.padTop(),
            g.padLeft(),
            g.stride(),
            g.stride(),
            1,
            1,
            Cudnn.CUDNN_CROSS_CORRELATION(),
            Cudnn.CUDNN_DATA_FLOAT()),
        "cudnnSetConvolution2dDescriptor");
    // FMA is true fp32: no TF32.
    int math = dtype == DType.F32 ? Cudnn.CUDNN_FMA_MATH() : Cudnn.CUDNN_TENSOR_OP_MATH();
    check(Cudnn.cudnnSetConvolutionMathType(convolution, math), "cudnnSetConvolutionMathType");
  }

  private static void check(int status, String call) {
    CudnnDescriptor.check(status, call);
  }

  /** Empty when cuDNN has no algorithm for it. */
  static Optional<CudnnFixedPlan> find(
      MemorySegment handle, Convolution.Problem problem, DType dtype) {
    if (!problem.isSymmetric()) {
      return Optional.empty();
    }
    CudnnFixedPlan plan = new CudnnFixedPlan(problem, dtype);
    if (plan.choose(handle, dtype)) {
      return Optional.of(plan);
    }
    plan.close();
    return Optional.empty();
  }

  private boolean choose(MemorySegment handle, DType dtype) {
    MemorySegment results = cudnnConvolutionFwdAlgoPerfStruct.allocateArray(CANDIDATES_MAX, arena);
    MemorySegment count = arena.allocate(JAVA_INT);
    int status =
        Cudnn.cudnnGetConvolutionForwardAlgorithm_v7(
            handle, x, w, convolution, y, CANDIDATES_MAX, count, results);
    int found = status == 0 ? count.get(JAVA_INT, 0) : 0;
    for (int i = 0; i < found; i++) {
      MemorySegment result = cudnnConvolutionFwdAlgoPerfStruct.asSlice(results, i);
      int candidate = cudnnConvolutionFwdAlgoPerfStruct.algo(result);
      long bytes = cudnnConvolutionFwdAlgoPerfStruct.memory(result);
      boolean usable =
          cudnnConvolutionFwdAlgoPerfStruct.status(result) == 0
              && cudnnConvolutionFwdAlgoPerfStruct.determinism(result) == DETERMINISTIC
              && bytes <= CudnnGraph.WORKSPACE_BYTES_MAX
              && (dtype != DType.F32 || isDirect(candidate));
      if (usable) {
        algorithm = candidate;
        workspaceBytes = bytes;
        return true;
      }
    }
    return false;
  }

  /** Sums products as they are, without a transform that costs precision. */
  private static boolean isDirect(int algorithm) {
    return algorithm == Cudnn.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM()
        || algorithm == Cudnn.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM()
        || algorithm == Cudnn.CUDNN_CONVOLUTION_FWD_ALGO_GEMM();
  }

  long workspaceBytes() {
    return workspaceBytes;
  }

  void run(MemorySegment handle, Convolution.Call call, long workspace) {
    check(
        Cudnn.cudnnConvolutionForward(
            handle,
            one,
            x,
            MemorySegment.ofAddress(call.x()),
            w,
            MemorySegment.ofAddress(call.weights()),
            convolution,
            algorithm,
            MemorySegment.ofAddress(workspace),
            workspaceBytes,
            zero,
            y,
            MemorySegment.ofAddress(call.out())),
        "cudnnConvolutionForward");
  }

  @Override
  public void close() {
    Cudnn.cudnnDestroyTensorDescriptor(x);
    Cudnn.cudnnDestroyTensorDescriptor(y);
    Cudnn.cudnnDestroyFilterDescriptor(w);
    Cudnn.cudnnDestroyConvolutionDescriptor(convolution);
    arena.close();
  }
}

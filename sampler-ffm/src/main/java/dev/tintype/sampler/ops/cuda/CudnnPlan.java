package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One convolution, bias or not, as an execution plan of cuDNN's graph API. Plans are searched in
 * the order of cuDNN's heuristics (modes A, then FALLBACK); finalising a plan is the test whether
 * it is supported. Left out: what is not deterministic, what reduces in less than fp32 and, for
 * fp32, everything that rounds its inputs (TF32) or transforms them (Winograd, FFT).
 */
final class CudnnPlan implements AutoCloseable {
  /** Results of a heuristic that are tried. */
  private static final int CANDIDATES_MAX = 16;

  private static final int NOTES_MAX = 32;

  /** A plan that needs more is left out: workspace is taken from the pictures. */
  static final long WORKSPACE_BYTES_MAX = 1L << 30;

  private static final long X = 'x';
  private static final long W = 'w';
  private static final long Y = 'y';
  private static final long BIAS = 'b';
  private static final long SUM = 's';

  private final List<CudnnDescriptor> owned = new ArrayList<>();
  private final boolean bias;
  private CudnnDescriptor plan;
  private long workspaceBytes;

  private CudnnPlan(boolean bias) {
    this.bias = bias;
  }

  /**
   * What plans are made for: the GPU of a handle, or one that is only described. The latter cannot
   * run them, but has the same heuristics and compiles the same plans.
   */
  record Target(MemorySegment handle, Optional<CudnnDescriptor> described) {
    static Target of(MemorySegment handle) {
      return new Target(handle, Optional.empty());
    }

    /** Sets the attribute for a handle, or that for a description. */
    private void set(CudnnDescriptor descriptor, int forHandle, int forDescription) {
      if (described.isPresent()) {
        descriptor.descriptors(forDescription, described.get());
      } else {
        descriptor.addresses(forHandle, Cudnn.CUDNN_TYPE_HANDLE(), handle.address());
      }
    }
  }

  /** Empty when cuDNN has no plan for it. */
  static Optional<CudnnPlan> find(
      Target target, Convolution.Problem problem, DType dtype, boolean bias) {
    CudnnPlan result = new CudnnPlan(bias);
    boolean found = false;
    try {
      CudnnDescriptor graph = result.graph(target, problem, dtype);
      if (graph.tryFinish()) {
        found =
            result.search(target, graph, Cudnn.CUDNN_HEUR_MODE_A(), dtype)
                || result.search(target, graph, Cudnn.CUDNN_HEUR_MODE_FALLBACK(), dtype);
      }
    } finally {
      if (!found) {
        result.close();
      }
    }
    return found ? Optional.of(result) : Optional.empty();
  }

  private CudnnDescriptor own(int type, String what) {
    CudnnDescriptor descriptor = new CudnnDescriptor(type, what);
    owned.add(descriptor);
    return descriptor;
  }

  /** [n, c, h, w] extents over NHWC memory. */
  private CudnnDescriptor tensor(
      String what, long uid, int type, boolean virtual, long n, long c, long h, long w) {
    return own(Cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR(), what)
        .choice(Cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE(), Cudnn.CUDNN_TYPE_DATA_TYPE(), type)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS(), n, c, h, w)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_STRIDES(), c * h * w, 1, c * w, c)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID(), uid)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), 16)
        .flag(Cudnn.CUDNN_ATTR_TENSOR_IS_VIRTUAL(), virtual)
        .finish();
  }

  static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> Cudnn.CUDNN_DATA_FLOAT();
      case F16 -> Cudnn.CUDNN_DATA_HALF();
      case BF16 -> Cudnn.CUDNN_DATA_BFLOAT16();
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("no convolutions of " + dtype);
    };
  }

  /** The operations of the problem, finalised; they need no GPU. */
  private CudnnDescriptor[] operations(Convolution.Problem p, DType dtype) {
    int type = type(dtype);
    int real = Cudnn.CUDNN_DATA_FLOAT();
    Conv2dGeometry g = p.geometry();
    CudnnDescriptor x =
        tensor("x", X, type, false, p.samples(), p.inChannels(), p.height(), p.width());
    CudnnDescriptor w =
        tensor(
            "w",
            W,
            type,
            false,
            p.outChannels(),
            p.inChannels(),
            g.kernelHeight(),
            g.kernelWidth());
    CudnnDescriptor y =
        tensor("y", Y, type, false, p.samples(), p.outChannels(), p.outHeight(), p.outWidth());
    CudnnDescriptor sum =
        bias
            ? tensor(
                "sum", SUM, real, true, p.samples(), p.outChannels(), p.outHeight(), p.outWidth())
            : y;
    CudnnDescriptor geometry =
        own(Cudnn.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR(), "convolution")
            .choice(Cudnn.CUDNN_ATTR_CONVOLUTION_COMP_TYPE(), Cudnn.CUDNN_TYPE_DATA_TYPE(), real)
            .choice(
                Cudnn.CUDNN_ATTR_CONVOLUTION_CONV_MODE(),
                Cudnn.CUDNN_TYPE_CONVOLUTION_MODE(),
                Cudnn.CUDNN_CROSS_CORRELATION())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS(), 2)
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS(), g.padTop(), g.padLeft())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS(), g.padBottom(), g.padRight())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES(), g.stride(), g.stride())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_DILATIONS(), 1, 1)
            .finish();
    CudnnDescriptor convolve =
        own(Cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR(), "forward")
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X(), x)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W(), w)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y(), sum)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC(), geometry)
            .real(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA(), 1)
            .real(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA(), 0)
            .finish();
    if (!bias) {
      return new CudnnDescriptor[] {convolve};
    }
    CudnnDescriptor b = tensor("bias", BIAS, type, false, 1, p.outChannels(), 1, 1);
    CudnnDescriptor addition =
        own(Cudnn.CUDNN_BACKEND_POINTWISE_DESCRIPTOR(), "addition")
            .choice(
                Cudnn.CUDNN_ATTR_POINTWISE_MODE(),
                Cudnn.CUDNN_TYPE_POINTWISE_MODE(),
                Cudnn.CUDNN_POINTWISE_ADD())
            .choice(Cudnn.CUDNN_ATTR_POINTWISE_MATH_PREC(), Cudnn.CUDNN_TYPE_DATA_TYPE(), real)
            .finish();
    CudnnDescriptor add =
        own(Cudnn.CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(), "bias")
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(), addition)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), sum)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_BDESC(), b)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), y)
            .finish();
    return new CudnnDescriptor[] {convolve, add};
  }

  private CudnnDescriptor graph(Target target, Convolution.Problem problem, DType dtype) {
    CudnnDescriptor[] operations = operations(problem, dtype);
    CudnnDescriptor graph =
        own(Cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR(), "graph of " + problem)
            .descriptors(Cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS(), operations);
    if (target.described().isEmpty()) {
      graph.addresses(
          Cudnn.CUDNN_ATTR_OPERATIONGRAPH_HANDLE(),
          Cudnn.CUDNN_TYPE_HANDLE(),
          target.handle().address());
    }
    return graph;
  }

  private boolean search(Target target, CudnnDescriptor graph, int mode, DType dtype) {
    List<CudnnDescriptor> configs = new ArrayList<>();
    try (CudnnDescriptor heuristic =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR(), "heuristic")) {
      heuristic
          .descriptors(Cudnn.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH(), graph)
          .choice(Cudnn.CUDNN_ATTR_ENGINEHEUR_MODE(), Cudnn.CUDNN_TYPE_HEUR_MODE(), mode);
      target
          .described()
          .ifPresent(
              device -> heuristic.descriptors(Cudnn.CUDNN_ATTR_ENGINEHEUR_DEVICEPROP(), device));
      if (!heuristic.tryFinish()) {
        return false;
      }
      for (int i = 0; i < CANDIDATES_MAX; i++) {
        configs.add(
            new CudnnDescriptor(Cudnn.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR(), "configuration"));
      }
      int found =
          heuristic.fill(
              Cudnn.CUDNN_ATTR_ENGINEHEUR_RESULTS(), configs.toArray(new CudnnDescriptor[0]));
      for (int i = 0; i < found && plan == null; i++) {
        if (isExact(configs.get(i), dtype)) {
          tryPlan(target, configs.get(i));
        }
      }
      return plan != null;
    } finally {
      configs.forEach(CudnnDescriptor::close);
    }
  }

  private void tryPlan(Target target, CudnnDescriptor configuration) {
    CudnnDescriptor candidate =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR(), "plan");
    boolean kept = false;
    try {
      target.set(
          candidate,
          Cudnn.CUDNN_ATTR_EXECUTION_PLAN_HANDLE(),
          Cudnn.CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP());
      candidate.descriptors(Cudnn.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG(), configuration);
      if (candidate.tryFinish()) {
        long bytes = candidate.number(Cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE());
        kept = bytes <= WORKSPACE_BYTES_MAX;
        workspaceBytes = bytes;
      }
    } finally {
      if (kept) {
        plan = candidate;
        owned.add(candidate);
      } else {
        candidate.close();
      }
    }
  }

  /** Whether the engine is deterministic and as precise as the storage type demands. */
  private static boolean isExact(CudnnDescriptor configuration, DType dtype) {
    try (CudnnDescriptor engine =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_ENGINE_DESCRIPTOR(), "engine")) {
      configuration.fill(Cudnn.CUDNN_ATTR_ENGINECFG_ENGINE(), engine);
      int[] notes =
          engine.choices(
              Cudnn.CUDNN_ATTR_ENGINE_NUMERICAL_NOTE(),
              Cudnn.CUDNN_TYPE_NUMERICAL_NOTE(),
              NOTES_MAX);
      for (int note : notes) {
        boolean never =
            note == Cudnn.CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC()
                || note == Cudnn.CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION();
        boolean inexact =
            note == Cudnn.CUDNN_NUMERICAL_NOTE_TENSOR_CORE()
                || note == Cudnn.CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS()
                || note == Cudnn.CUDNN_NUMERICAL_NOTE_FFT()
                || note == Cudnn.CUDNN_NUMERICAL_NOTE_WINOGRAD();
        if (never || (inexact && dtype == DType.F32)) {
          return false;
        }
      }
      return true;
    }
  }

  boolean hasBias() {
    return bias;
  }

  long workspaceBytes() {
    return workspaceBytes;
  }

  void run(MemorySegment handle, Convolution.Call call, long workspace) {
    try (CudnnDescriptor pack =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR(), "arguments")) {
      int pointers = Cudnn.CUDNN_TYPE_VOID_PTR();
      if (bias) {
        pack.numbers(Cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(), X, W, Y, BIAS)
            .addresses(
                Cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(),
                pointers,
                call.x(),
                call.weights(),
                call.out(),
                call.bias());
      } else {
        pack.numbers(Cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(), X, W, Y)
            .addresses(
                Cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(),
                pointers,
                call.x(),
                call.weights(),
                call.out());
      }
      pack.addresses(Cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE(), pointers, workspace).finish();
      CudnnDescriptor.check(
          Cudnn.cudnnBackendExecute(handle, plan.handle(), pack.handle()), "cudnnBackendExecute");
    }
  }

  @Override
  public void close() {
    owned.reversed().forEach(CudnnDescriptor::close);
    owned.clear();
  }
}

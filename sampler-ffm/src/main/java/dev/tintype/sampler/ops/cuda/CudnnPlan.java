package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One convolution, and what is fused into it, as an execution plan of cuDNN's graph API. Plans are
 * searched in the order of cuDNN's heuristics (modes A, then FALLBACK); finalising a plan is the
 * test whether it is supported. Left out: what is not deterministic, what reduces in less than fp32
 * and, for fp32, everything that rounds its inputs (TF32) or transforms them (Winograd, FFT).
 */
final class CudnnPlan implements AutoCloseable {
  /** Results of a heuristic that are tried. */
  private static final int CANDIDATES_MAX = 16;

  private static final int NOTES_MAX = 32;

  /** A plan that needs more is left out: workspace is taken from the pictures. */
  static final long WORKSPACE_BYTES_MAX = 1L << 30;

  private final List<CudnnDescriptor> owned = new ArrayList<>();
  private final CudnnFusion fusion;
  private CudnnDescriptor plan;
  private long workspaceBytes;

  private CudnnPlan(CudnnFusion fusion) {
    this.fusion = fusion;
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
      Target target, Convolution.Problem problem, DType dtype, CudnnFusion fusion) {
    CudnnPlan result = new CudnnPlan(fusion);
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

  private CudnnDescriptor graph(Target target, Convolution.Problem problem, DType dtype) {
    CudnnDescriptor[] operations = new CudnnOperations(owned, dtype).build(problem, fusion);
    CudnnDescriptor graph =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR(), "graph of " + problem);
    owned.add(graph);
    graph.descriptors(Cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS(), operations);
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

  /** What the plan adds by itself. */
  CudnnFusion fusion() {
    return fusion;
  }

  long workspaceBytes() {
    return workspaceBytes;
  }

  void run(MemorySegment handle, Convolution.Call call, long workspace) {
    try (CudnnDescriptor pack =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR(), "arguments")) {
      int pointers = Cudnn.CUDNN_TYPE_VOID_PTR();
      pack.numbers(Cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(), fusion.ids())
          .addresses(
              Cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(), pointers, fusion.addresses(call));
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

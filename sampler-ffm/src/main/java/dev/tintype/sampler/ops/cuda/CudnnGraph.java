package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One computation in the terms of cuDNN's graph API, and the plans for it. Plans are searched in
 * the order of cuDNN's heuristics (modes A, B, FALLBACK); finalising a plan is the test whether it
 * is supported. Left out: what is not deterministic, what reduces in less than fp32 and, for fp32,
 * everything that rounds its inputs (TF32) or transforms them (Winograd, FFT).
 */
final class CudnnGraph implements AutoCloseable {
  /** Results of a heuristic that are tried. */
  private static final int CANDIDATES_MAX = 16;

  private static final int NOTES_MAX = 32;

  /** A plan that needs more is left out: workspace is taken from the pictures. */
  static final long WORKSPACE_BYTES_MAX = 1L << 30;

  /** Heuristics by the letter that begins the id of a plan. */
  enum Mode {
    A(Cudnn.CUDNN_HEUR_MODE_A()),
    B(Cudnn.CUDNN_HEUR_MODE_B()),
    F(Cudnn.CUDNN_HEUR_MODE_FALLBACK());

    private final int number;

    Mode(int number) {
      this.number = number;
    }
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

  private final List<CudnnDescriptor> owned = new ArrayList<>();
  private final Target target;
  private final DType dtype;
  private CudnnDescriptor graph;
  private boolean supported;

  /** Plans that are open: they need the descriptors too. */
  private int plans;

  private boolean closed;

  private CudnnGraph(Target target, DType dtype) {
    this.target = target;
    this.dtype = dtype;
  }

  /** Makes the operations of a graph; they are closed with it. */
  @FunctionalInterface
  interface Operations {
    CudnnDescriptor[] build(List<CudnnDescriptor> owned);
  }

  /**
   * A graph that cuDNN does not take has no plans.
   *
   * @throws CudaException when an operation is malformed
   */
  static CudnnGraph of(Target target, DType dtype, String what, Operations operations) {
    CudnnGraph result = new CudnnGraph(target, dtype);
    try {
      CudnnDescriptor[] built = operations.build(result.owned);
      result.graph =
          new CudnnDescriptor(Cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR(), "graph of " + what);
      result.owned.add(result.graph);
      result.graph.descriptors(Cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS(), built);
      if (target.described().isEmpty()) {
        result.graph.addresses(
            Cudnn.CUDNN_ATTR_OPERATIONGRAPH_HANDLE(),
            Cudnn.CUDNN_TYPE_HANDLE(),
            target.handle().address());
      }
      result.supported = result.graph.tryFinish();
      return result;
    } catch (RuntimeException e) {
      result.close();
      throw e;
    }
  }

  /** The first plans of a heuristic that work, at most {@code most}. The caller closes them. */
  List<CudnnPlan> plans(Mode mode, int most) {
    return search(mode, 0, CANDIDATES_MAX, most);
  }

  /** The plan of that id; empty when there is none any more. */
  Optional<CudnnPlan> plan(String id) {
    try {
      Mode mode = Mode.valueOf(id.substring(0, 1));
      int index = Integer.parseInt(id.substring(1));
      return search(mode, index, index + 1, 1).stream().findFirst();
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  private List<CudnnPlan> search(Mode mode, int from, int to, int most) {
    List<CudnnDescriptor> configs = new ArrayList<>();
    List<CudnnPlan> found = new ArrayList<>();
    if (!supported) {
      return found;
    }
    try (CudnnDescriptor heuristic =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR(), "heuristic")) {
      heuristic
          .descriptors(Cudnn.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH(), graph)
          .choice(Cudnn.CUDNN_ATTR_ENGINEHEUR_MODE(), Cudnn.CUDNN_TYPE_HEUR_MODE(), mode.number);
      target
          .described()
          .ifPresent(
              device -> heuristic.descriptors(Cudnn.CUDNN_ATTR_ENGINEHEUR_DEVICEPROP(), device));
      if (!heuristic.tryFinish()) {
        return found;
      }
      for (int i = 0; i < CANDIDATES_MAX; i++) {
        configs.add(
            new CudnnDescriptor(Cudnn.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR(), "configuration"));
      }
      int results =
          heuristic.fill(
              Cudnn.CUDNN_ATTR_ENGINEHEUR_RESULTS(), configs.toArray(new CudnnDescriptor[0]));
      for (int i = from; i < Math.min(results, to) && found.size() < most; i++) {
        if (isExact(configs.get(i))) {
          finalised(configs.get(i), mode.name() + i).ifPresent(found::add);
        }
      }
      return found;
    } catch (RuntimeException e) {
      found.forEach(CudnnPlan::close);
      throw e;
    } finally {
      configs.forEach(CudnnDescriptor::close);
    }
  }

  private Optional<CudnnPlan> finalised(CudnnDescriptor configuration, String id) {
    CudnnDescriptor candidate =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR(), "plan");
    boolean kept = false;
    try {
      target.set(
          candidate,
          Cudnn.CUDNN_ATTR_EXECUTION_PLAN_HANDLE(),
          Cudnn.CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP());
      candidate.descriptors(Cudnn.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG(), configuration);
      if (!candidate.tryFinish()) {
        return Optional.empty();
      }
      long bytes = candidate.number(Cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE());
      kept = bytes <= WORKSPACE_BYTES_MAX;
      if (!kept) {
        return Optional.empty();
      }
      plans++;
      return Optional.of(new CudnnPlan(this, candidate, id, bytes));
    } finally {
      if (!kept) {
        candidate.close();
      }
    }
  }

  /** Whether the engine is deterministic and as precise as the storage type demands. */
  private boolean isExact(CudnnDescriptor configuration) {
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

  void planClosed() {
    plans--;
    release();
  }

  /** Its plans live on, and its descriptors as long as they. */
  @Override
  public void close() {
    closed = true;
    release();
  }

  private void release() {
    if (closed && plans == 0) {
      owned.reversed().forEach(CudnnDescriptor::close);
      owned.clear();
    }
  }
}

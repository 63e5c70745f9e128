package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * Attention by cuDNN's single node for it (SDPA_FWD, cuDNN 9.13 and newer): softmax(q k^T scale) v
 * in one kernel. Measured against our own per shape, see {@link CudaAttention}.
 */
final class CudnnAttention {
  /** The first that has the node and takes any number of keys (77 of a prompt). */
  static final long VERSION_MIN = 91_501;

  /** More are not worth the time of making them. */
  private static final int PLANS = 2;

  // Ids of the tensors of the graph.
  private static final long Q = 'q';
  private static final long K = 'k';
  private static final long V = 'v';
  private static final long O = 'o';
  private static final long SCALE = 's';
  private static final long[] IDS = {Q, K, V, O, SCALE};

  /** Everything but the addresses. Rows of q, k, v and the result are that many elements apart. */
  record Problem(
      int samples,
      int heads,
      int queries,
      int keys,
      int dim,
      int qStride,
      int kStride,
      int vStride,
      int outStride,
      float scale) {}

  private final MemorySegment handle;
  private final CudaMemory memory;
  private final DType dtype;

  CudnnAttention(MemorySegment handle, CudaMemory memory, DType dtype) {
    this.handle = handle;
    this.memory = memory;
    this.dtype = dtype;
  }

  /** A plan for one problem. */
  final class Plan implements AutoCloseable {
    private final CudnnPlan plan;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scale;

    private Plan(CudnnPlan plan, float scale) {
      this.plan = plan;
      this.scale = arena.allocateFrom(JAVA_FLOAT, scale);
    }

    String id() {
      return "cudnn " + plan.id();
    }

    void run(long q, long k, long v, long out) {
      plan.run(handle, memory, IDS, new long[] {q, k, v, out, scale.address()});
    }

    @Override
    public void close() {
      plan.close();
      arena.close();
    }
  }

  List<Plan> plans(Problem problem) {
    try (CudnnGraph graph = graph(CudnnGraph.Target.of(handle), problem, dtype)) {
      return graph.plans(CudnnGraph.Mode.A, PLANS).stream()
          .map(plan -> new Plan(plan, problem.scale()))
          .toList();
    }
  }

  /** The plan of that id; empty when there is none any more. */
  Optional<Plan> named(Problem problem, String id) {
    if (!id.startsWith("cudnn ")) {
      return Optional.empty();
    }
    try (CudnnGraph graph = graph(CudnnGraph.Target.of(handle), problem, dtype)) {
      return graph
          .plan(id.substring("cudnn ".length()))
          .map(plan -> new Plan(plan, problem.scale()));
    }
  }

  static CudnnGraph graph(CudnnGraph.Target target, Problem p, DType dtype) {
    return CudnnGraph.of(
        target, dtype, p.toString(), owned -> new CudnnDescriptor[] {node(owned, p, dtype)});
  }

  private static CudnnDescriptor node(List<CudnnDescriptor> owned, Problem p, DType dtype) {
    int type = CudnnOperations.type(dtype);
    CudnnDescriptor q = rows(owned, "q", Q, type, p, p.queries(), p.qStride());
    CudnnDescriptor k = rows(owned, "k", K, type, p, p.keys(), p.kStride());
    CudnnDescriptor v = rows(owned, "v", V, type, p, p.keys(), p.vStride());
    CudnnDescriptor o = rows(owned, "out", O, type, p, p.queries(), p.outStride());
    CudnnDescriptor scale =
        own(owned, Cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR(), "scale")
            .choice(
                Cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE(),
                Cudnn.CUDNN_TYPE_DATA_TYPE(),
                Cudnn.CUDNN_DATA_FLOAT())
            .numbers(Cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS(), 1, 1, 1, 1)
            .numbers(Cudnn.CUDNN_ATTR_TENSOR_STRIDES(), 1, 1, 1, 1)
            .numbers(Cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID(), SCALE)
            .numbers(Cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), 4)
            .flag(Cudnn.CUDNN_ATTR_TENSOR_IS_BY_VALUE(), true)
            .finish();
    return own(owned, Cudnn.CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR(), "attention")
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC(), q)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC(), k)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC(), v)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC(), o)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC(), scale)
        .finish();
  }

  private static CudnnDescriptor own(List<CudnnDescriptor> owned, int kind, String what) {
    CudnnDescriptor descriptor = new CudnnDescriptor(kind, what);
    owned.add(descriptor);
    return descriptor;
  }

  /** [n, heads, rows, dim] over [n, rows, stride] with the heads beside each other. */
  private static CudnnDescriptor rows(
      List<CudnnDescriptor> owned,
      String what,
      long id,
      int type,
      Problem p,
      long rows,
      long stride) {
    return own(owned, Cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR(), what)
        .choice(Cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE(), Cudnn.CUDNN_TYPE_DATA_TYPE(), type)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS(), p.samples(), p.heads(), rows, p.dim())
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_STRIDES(), rows * stride, p.dim(), stride, 1)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID(), id)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), 16)
        .flag(Cudnn.CUDNN_ATTR_TENSOR_IS_VIRTUAL(), false)
        .finish();
  }
}

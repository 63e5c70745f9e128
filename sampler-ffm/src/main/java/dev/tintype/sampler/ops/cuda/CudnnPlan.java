package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import java.lang.foreign.MemorySegment;

/** One finalised execution plan of a {@link CudnnGraph}. */
final class CudnnPlan implements AutoCloseable {
  private final CudnnGraph graph;
  private final CudnnDescriptor plan;
  private final String id;
  private final long workspaceBytes;

  CudnnPlan(CudnnGraph graph, CudnnDescriptor plan, String id, long workspaceBytes) {
    this.graph = graph;
    this.plan = plan;
    this.id = id;
    this.workspaceBytes = workspaceBytes;
  }

  /** The heuristic's letter and the plan's place in it: the same with the same libraries. */
  String id() {
    return id;
  }

  long workspaceBytes() {
    return workspaceBytes;
  }

  /**
   * @param ids of the graph's tensors
   * @param addresses where they lie, in the same order
   */
  void run(MemorySegment handle, CudaMemory memory, long[] ids, long[] addresses) {
    long workspace = memory.take(workspaceBytes);
    try (CudnnDescriptor pack =
        new CudnnDescriptor(Cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR(), "arguments")) {
      int pointers = Cudnn.CUDNN_TYPE_VOID_PTR();
      pack.numbers(Cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(), ids)
          .addresses(Cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(), pointers, addresses)
          .addresses(Cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE(), pointers, workspace)
          .finish();
      CudnnDescriptor.check(
          Cudnn.cudnnBackendExecute(handle, plan.handle(), pack.handle()), "cudnnBackendExecute");
    } finally {
      memory.release(workspace, workspaceBytes);
    }
  }

  @Override
  public void close() {
    plan.close();
    graph.planClosed();
  }
}

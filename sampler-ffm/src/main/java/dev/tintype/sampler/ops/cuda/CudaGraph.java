package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Graph;

/**
 * A recorded sequence of kernels that is launched as one: no Java and no driver call per kernel. It
 * replays the same addresses, so the tensors it used must stay open as long as it does, and numbers
 * that change from step to step must be in device memory before a replay. Copies from the host are
 * not allowed while it is recorded.
 */
final class CudaGraph implements Graph {
  private final Cuda cuda;
  private final long graph;
  private final long executable;
  private final CudaMemory memory;
  private final int plansGivenUp;
  private boolean closed;

  private CudaGraph(Cuda cuda, CudaMemory memory, long graph, long executable) {
    this.cuda = cuda;
    this.memory = memory;
    this.graph = graph;
    this.executable = executable;
    this.plansGivenUp = cuda.plansGivenUp();
  }

  /**
   * Records; where memory is short, once more when others have given theirs up.
   *
   * @param work may run twice
   */
  static CudaGraph capture(Cuda cuda, CudaMemory memory, Runnable work) {
    try {
      return attempt(cuda, memory, work);
    } catch (DeviceException e) {
      if (!e.code().equals(DeviceException.OUT_OF_MEMORY) || !memory.makeRoom()) {
        throw e;
      }
      return attempt(cuda, memory, work);
    }
  }

  private static CudaGraph attempt(Cuda cuda, CudaMemory memory, Runnable work) {
    cuda.beginCapture();
    memory.startRecording();
    boolean recorded = false;
    try {
      long graph = recorded(cuda, memory, work);
      long[] executable = new long[1];
      int code = cuda.runtime().instantiate(executable, graph);
      if (code != 0) {
        cuda.runtime().destroyGraph(graph);
        cuda.check(code, "cudaGraphInstantiate");
      }
      recorded = true;
      return new CudaGraph(cuda, memory, graph, executable[0]);
    } finally {
      if (!recorded) {
        memory.forgetRecording();
      }
    }
  }

  private static long recorded(Cuda cuda, CudaMemory memory, Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      cuda.abandonCapture();
      throw e;
    } finally {
      memory.endRecording();
    }
    return cuda.endCapture();
  }

  @Override
  public boolean isStale() {
    return cuda.plansGivenUp() != plansGivenUp;
  }

  @Override
  public void replay() {
    if (isStale()) {
      throw new IllegalStateException("a stale graph is replayed");
    }
    cuda.bind();
    cuda.check(cuda.runtime().launchGraph(executable, cuda.stream()), "cudaGraphLaunch");
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    memory.forgetRecording();
    if (!cuda.isLost()) {
      // A replay may be under way.
      cuda.synchronize();
      cuda.check(cuda.runtime().destroyExecutable(executable), "cudaGraphExecDestroy");
      cuda.check(cuda.runtime().destroyGraph(graph), "cudaGraphDestroy");
    }
  }
}

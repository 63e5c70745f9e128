package dev.tintype.sampler.ops.cuda;

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

  static CudaGraph capture(Cuda cuda, CudaMemory memory, Runnable work) {
    CudaRuntime runtime = cuda.runtime();
    long[] graph = new long[1];
    cuda.check(runtime.beginCapture(cuda.stream()), "cudaStreamBeginCapture");
    memory.startRecording();
    boolean recorded = false;
    try {
      try {
        work.run();
      } catch (RuntimeException e) {
        // Ends the recording, so that the stream can be used again; its own error says less.
        if (runtime.endCapture(graph, cuda.stream()) == 0) {
          runtime.destroyGraph(graph[0]);
        }
        throw e;
      } finally {
        memory.endRecording();
      }
      cuda.check(runtime.endCapture(graph, cuda.stream()), "cudaStreamEndCapture");
      long[] executable = new long[1];
      int code = runtime.instantiate(executable, graph[0]);
      if (code != 0) {
        runtime.destroyGraph(graph[0]);
        cuda.check(code, "cudaGraphInstantiate");
      }
      recorded = true;
      return new CudaGraph(cuda, memory, graph[0], executable[0]);
    } finally {
      if (!recorded) {
        memory.forgetRecording();
      }
    }
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
      cuda.check(cuda.runtime().destroyExecutable(executable), "cudaGraphExecDestroy");
      cuda.check(cuda.runtime().destroyGraph(graph), "cudaGraphDestroy");
    }
  }
}

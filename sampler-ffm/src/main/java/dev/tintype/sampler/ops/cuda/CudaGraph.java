package dev.tintype.sampler.ops.cuda;

/**
 * A recorded sequence of kernels that is launched as one: no Java and no driver call per kernel. It
 * replays the same addresses, so the tensors it used must stay open as long as it does, and numbers
 * that change from step to step must be in device memory before a replay. Copies from the host are
 * not allowed while it is recorded.
 */
final class CudaGraph implements AutoCloseable {
  private final Cuda cuda;
  private final long graph;
  private final long executable;

  private CudaGraph(Cuda cuda, long graph, long executable) {
    this.cuda = cuda;
    this.graph = graph;
    this.executable = executable;
  }

  static CudaGraph capture(Cuda cuda, Runnable work) {
    CudaRuntime runtime = cuda.runtime();
    long[] graph = new long[1];
    cuda.check(runtime.beginCapture(cuda.stream()), "cudaStreamBeginCapture");
    try {
      work.run();
    } catch (RuntimeException e) {
      // Ends the recording, so that the stream can be used again; its own error says less.
      runtime.endCapture(graph, cuda.stream());
      throw e;
    }
    cuda.check(runtime.endCapture(graph, cuda.stream()), "cudaStreamEndCapture");
    long[] executable = new long[1];
    int code = runtime.instantiate(executable, graph[0]);
    if (code != 0) {
      runtime.destroyGraph(graph[0]);
      cuda.check(code, "cudaGraphInstantiate");
    }
    return new CudaGraph(cuda, graph[0], executable[0]);
  }

  void replay() {
    cuda.check(cuda.runtime().launchGraph(executable, cuda.stream()), "cudaGraphLaunch");
  }

  @Override
  public void close() {
    cuda.check(cuda.runtime().destroyExecutable(executable), "cudaGraphExecDestroy");
    cuda.check(cuda.runtime().destroyGraph(graph), "cudaGraphDestroy");
  }
}

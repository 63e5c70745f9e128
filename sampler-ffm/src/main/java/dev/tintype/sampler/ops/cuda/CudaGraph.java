package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.Graph;
import java.util.ArrayDeque;
import java.util.Map;

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
  private final Map<Long, ArrayDeque<Long>> blocks;

  private CudaGraph(
      Cuda cuda,
      CudaMemory memory,
      Map<Long, ArrayDeque<Long>> blocks,
      long graph,
      long executable) {
    this.cuda = cuda;
    this.memory = memory;
    this.blocks = blocks;
    this.graph = graph;
    this.executable = executable;
  }

  static CudaGraph capture(Cuda cuda, CudaMemory memory, Runnable work) {
    CudaRuntime runtime = cuda.runtime();
    long[] graph = new long[1];
    cuda.check(runtime.beginCapture(cuda.stream()), "cudaStreamBeginCapture");
    memory.startRecording();
    try {
      work.run();
    } catch (RuntimeException e) {
      // Ends the recording, so that the stream can be used again; its own error says less.
      runtime.endCapture(graph, cuda.stream());
      memory.returnRecorded(memory.endRecording());
      throw e;
    }
    Map<Long, ArrayDeque<Long>> blocks = memory.endRecording();
    try {
      cuda.check(runtime.endCapture(graph, cuda.stream()), "cudaStreamEndCapture");
      long[] executable = new long[1];
      int code = runtime.instantiate(executable, graph[0]);
      if (code != 0) {
        runtime.destroyGraph(graph[0]);
        cuda.check(code, "cudaGraphInstantiate");
      }
      return new CudaGraph(cuda, memory, blocks, graph[0], executable[0]);
    } catch (RuntimeException e) {
      memory.returnRecorded(blocks);
      throw e;
    }
  }

  @Override
  public void replay() {
    cuda.check(cuda.runtime().launchGraph(executable, cuda.stream()), "cudaGraphLaunch");
  }

  @Override
  public void close() {
    if (!cuda.isLost()) {
      cuda.check(cuda.runtime().destroyExecutable(executable), "cudaGraphExecDestroy");
      cuda.check(cuda.runtime().destroyGraph(graph), "cudaGraphDestroy");
    }
    memory.returnRecorded(blocks);
  }
}

package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Epilogue;
import java.lang.foreign.MemorySegment;

/**
 * One call of a convolution or linear layer: its primitive on each sample of the batch. Small
 * layers have a primitive for one thread, and the samples are dealt out to the team.
 */
record LayerCall(Engine engine, Primitive primitive, MemorySegment weights, BiasVector bias) {

  /**
   * @param nanos about how long one thread needs for one sample
   */
  void run(Tensor x, Epilogue epilogue, Tensor result, double nanos) {
    int samples = x.shape().intDim(0);
    if (primitive.serial()) {
      engine
          .team()
          .parallelLanes(
              samples, samples * nanos, (lane, n) -> runSample(lane, n, x, epilogue, result));
    } else {
      OpenMpTeam.setThreads(engine.team().threads());
      for (int n = 0; n < samples; n++) {
        runSample(0, n, x, epilogue, result);
      }
    }
  }

  private void runSample(int lane, int n, Tensor x, Epilogue epilogue, Tensor result) {
    MemorySegment from = x.slice(n, n + 1).data();
    MemorySegment to = result.slice(n, n + 1).data();
    if (epilogue.residual().isPresent()) {
      MemorySegment residual = epilogue.residual().get().slice(n, n + 1).data();
      primitive.executeOn(lane, from, weights, bias.values(), to, residual);
    } else {
      primitive.executeOn(lane, from, weights, bias.values(), to);
    }
  }
}

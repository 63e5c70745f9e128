package dev.tintype.worker.engine;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.ops.cuda.CudaException;
import dev.tintype.worker.WorkerException;

/** Whose fault an error of the engine is; that decides who pays for it. */
public enum EngineFault {
  /** The job asks for what cannot be: it fails, the others go on. */
  JOB,
  /** The device is out of memory: the batch shrinks, no job is to blame. */
  MEMORY,
  /**
   * A call of the device failed and left it usable: the job is tried again, and the worker goes on
   * unless it happens again and again.
   */
  CALL,
  /** The device is in a state from which nothing can be computed: the worker ends, loudly. */
  DEVICE,
  /** A defect: the job is tried again, as often as the store allows. */
  DEFECT;

  public static EngineFault of(Throwable error) {
    return switch (error) {
      case SamplerException known when known.code().equals(DeviceException.OUT_OF_MEMORY) -> MEMORY;
      case CudaException lost when lost.isSticky() -> DEVICE;
      case SamplerException known when known.code().equals(DeviceException.FAILED) -> CALL;
      case SamplerException known -> JOB;
      case WorkerException known -> JOB;
      case RuntimeException unknown -> DEFECT;
      case Throwable unknown -> DEVICE;
    };
  }

  /** The words for the job's user. */
  public static JobFailure failure(Throwable error) {
    EngineFault fault = of(error);
    boolean retryable = fault != JOB;
    return switch (error) {
      case SamplerException known -> new JobFailure(known.code(), known.getMessage(), retryable);
      case WorkerException known -> new JobFailure(known.code(), known.getMessage(), retryable);
      case QueueException store -> new JobFailure(store.code(), store.getMessage(), true);
      case Throwable unknown ->
          new JobFailure(
              "engine.defect",
              "The engine met an error that it does not know (" + unknown + "); its log has more.",
              retryable);
    };
  }
}

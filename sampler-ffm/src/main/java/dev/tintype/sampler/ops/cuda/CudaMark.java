package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.ops.Ops;

/** A place in the work of the stream: an event that was recorded there. */
final class CudaMark implements Ops.Mark {
  private final Cuda cuda;
  private final long event;

  private CudaMark(Cuda cuda, long event) {
    this.cuda = cuda;
    this.event = event;
  }

  /** Where the stream is now. */
  static CudaMark of(Cuda cuda) {
    CudaMark mark = new CudaMark(cuda, cuda.createEvent(false));
    try {
      cuda.record(mark.event);
      return mark;
    } catch (RuntimeException e) {
      mark.close();
      throw e;
    }
  }

  @Override
  public void await() {
    cuda.await(event);
  }

  @Override
  public void close() {
    cuda.destroyEvent(event);
  }
}

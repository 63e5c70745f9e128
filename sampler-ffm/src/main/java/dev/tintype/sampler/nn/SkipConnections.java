package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;

/** The outputs of the way down, last in first out; closing it closes those not taken. */
public final class SkipConnections implements AutoCloseable {
  private final Deque<Tensor> stack = new ArrayDeque<>();

  /** Takes ownership and gives the tensor back, to be read while it lies here. */
  public Tensor push(Tensor tensor) {
    stack.push(tensor);
    return tensor;
  }

  /** The newest, which the caller now owns. */
  Tensor pop() {
    return stack.pop();
  }

  /** The newest, still owned here. */
  Tensor peek() {
    return stack.element();
  }

  @Override
  public void close() {
    stack.forEach(Tensor::close);
    stack.clear();
  }
}

package dev.tintype.sampler.device;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A dense row-major array in the memory of a device. Closing it gives its memory back to the
 * workspace it came from; using it afterwards is an error. A view shares memory and owns nothing.
 */
public final class Tensor implements AutoCloseable {
  private final Shape shape;
  private final DType dtype;
  private final Runnable release;
  private MemorySegment data;

  private Tensor(Shape shape, DType dtype, MemorySegment data, Runnable release) {
    this.shape = Objects.requireNonNull(shape);
    this.dtype = Objects.requireNonNull(dtype);
    this.data = Objects.requireNonNull(data);
    this.release = release;
  }

  /**
   * A tensor that owns {@code data}; {@code release} runs once, when it is closed. On a GPU the
   * segment carries the device address and must not be dereferenced by the host.
   */
  public static Tensor owning(Shape shape, DType dtype, MemorySegment data, Runnable release) {
    return new Tensor(shape, dtype, data, Objects.requireNonNull(release));
  }

  public Shape shape() {
    return shape;
  }

  public DType dtype() {
    return dtype;
  }

  public long elements() {
    return shape.elements();
  }

  public long bytes() {
    return shape.elements() * dtype.bytes();
  }

  /**
   * The memory, on the device.
   *
   * @throws IllegalStateException after close
   */
  public MemorySegment data() {
    if (data == null) {
      throw new IllegalStateException("tensor " + shape + " is used after it was closed");
    }
    return data;
  }

  /** The same memory under another shape of as many elements. Valid while this tensor is open. */
  public Tensor reshape(long... dims) {
    Shape other = Shape.of(dims);
    if (other.elements() != shape.elements()) {
      throw new IllegalArgumentException("cannot view " + shape + " as " + other);
    }
    return new Tensor(other, dtype, data(), null);
  }

  /** Items {@code from} (inclusive) to {@code to} (exclusive) of the batch dimension, as a view. */
  public Tensor slice(long from, long to) {
    Objects.checkFromToIndex(from, to, shape.dim(0));
    long item = shape.dim(0) == 0 ? 0 : bytes() / shape.dim(0);
    return new Tensor(
        shape.with(0, to - from), dtype, data().asSlice(from * item, (to - from) * item), null);
  }

  @Override
  public void close() {
    if (data != null) {
      data = null;
      if (release != null) {
        release.run();
      }
    }
  }

  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}

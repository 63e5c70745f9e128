package dev.tintype.sampler.device;

import java.util.Arrays;

/**
 * The extents of a dense row-major tensor, slowest dimension first. Images are [batch, height,
 * width, channels] (NHWC) everywhere in the engine; sequences are [batch, tokens, channels].
 */
public final class Shape {
  private final long[] dims;

  private Shape(long[] dims) {
    this.dims = dims;
  }

  /**
   * @throws IllegalArgumentException when a dimension is negative or the element count overflows
   */
  public static Shape of(long... dims) {
    long[] copy = dims.clone();
    long count = 1;
    for (long dim : copy) {
      if (dim < 0) {
        throw new IllegalArgumentException("negative dimension in " + Arrays.toString(copy));
      }
      try {
        count = Math.multiplyExact(count, dim);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException("too many elements: " + Arrays.toString(copy), e);
      }
    }
    return new Shape(copy);
  }

  public int rank() {
    return dims.length;
  }

  /** Extent of dimension {@code axis}; negative axes count from the end, so dim(-1) is channels. */
  public long dim(int axis) {
    return dims[axis < 0 ? dims.length + axis : axis];
  }

  /** As {@link #dim(int)}, for callers that index Java arrays. */
  public int intDim(int axis) {
    return Math.toIntExact(dim(axis));
  }

  public long elements() {
    long count = 1;
    for (long dim : dims) {
      count *= dim;
    }
    return count;
  }

  public long[] dims() {
    return dims.clone();
  }

  /** This shape with the extent of one axis replaced. */
  public Shape with(int axis, long extent) {
    long[] copy = dims.clone();
    copy[axis < 0 ? dims.length + axis : axis] = extent;
    return of(copy);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}

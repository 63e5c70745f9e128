package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Memory descriptors of one primitive under construction, all fp32; destroyed together. */
final class Descriptors implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final List<MemorySegment> descriptors = new ArrayList<>();

  Arena arena() {
    return arena;
  }

  /** Row-major. */
  MemorySegment dense(long... dims) {
    return strided(dims, denseStrides(dims));
  }

  static long[] denseStrides(long... dims) {
    long[] strides = new long[dims.length];
    long stride = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= dims[i];
    }
    return strides;
  }

  /** Logical extents with the distance, in elements, between neighbours of each dimension. */
  MemorySegment strided(long[] dims, long[] strides) {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(
        Dnnl.dnnl_memory_desc_create_with_strides(
            out, dims.length, longs(dims), Dnnl.dnnl_f32(), longs(strides)),
        "memory_desc_create_with_strides");
    return keep(out);
  }

  /** The layout is left to the primitive. */
  MemorySegment any(long... dims) {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(
        Dnnl.dnnl_memory_desc_create_with_tag(
            out, dims.length, longs(dims), Dnnl.dnnl_f32(), Dnnl.dnnl_format_tag_any()),
        "memory_desc_create_with_tag");
    return keep(out);
  }

  MemorySegment longs(long... values) {
    return arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }

  private MemorySegment keep(MemorySegment out) {
    MemorySegment descriptor = out.get(ValueLayout.ADDRESS, 0);
    descriptors.add(descriptor);
    return descriptor;
  }

  @Override
  public void close() {
    descriptors.forEach(Dnnl::dnnl_memory_desc_destroy);
    arena.close();
  }
}

package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A weight matrix or kernel in the layouts that primitives have asked for. oneDNN chooses the
 * layout by the whole shape of a call, which is not known at load, so weights are loaded in the
 * layout for a typical call; another one is made when a call wants it, and kept. Almost always one
 * suffices.
 */
final class BlockedWeights implements AutoCloseable {
  /** Most layouts kept at one time; the oldest but the first makes room. */
  static final int LAYOUTS_MAX = 3;

  private record Layout(MemorySegment descriptor, MemorySegment data) {}

  private final Engine engine;
  private final List<Layout> layouts = new ArrayList<>();
  private boolean used;

  /** Copies {@code values} into the layout {@code wanted}; {@code plain} is how they are now. */
  BlockedWeights(Engine engine, float[] values, MemorySegment plain, MemorySegment wanted) {
    this.engine = engine;
    MemorySegment source = NativeMemory.allocate(4L * values.length);
    try {
      MemorySegment.copy(values, 0, source, ValueLayout.JAVA_FLOAT, 0, values.length);
      layouts.add(reorder(plain, source, wanted));
    } finally {
      NativeMemory.free(source);
    }
  }

  /** The data in that layout. */
  MemorySegment in(MemorySegment descriptor) {
    for (Layout layout : layouts) {
      if (Dnnl.dnnl_memory_desc_equal(layout.descriptor(), descriptor) != 0) {
        used = true;
        return layout.data();
      }
    }
    Layout first = layouts.getFirst();
    Layout made = reorder(first.descriptor(), first.data(), descriptor);
    if (!used) {
      release(layouts.removeFirst());
    } else if (layouts.size() == LAYOUTS_MAX) {
      release(layouts.remove(1));
    }
    layouts.add(made);
    used = true;
    return made.data();
  }

  long bytes() {
    return layouts.stream().mapToLong(layout -> layout.data().byteSize()).sum();
  }

  private Layout reorder(MemorySegment from, MemorySegment source, MemorySegment to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(Dnnl.dnnl_memory_desc_clone(out, to), "memory_desc_clone");
      MemorySegment descriptor = out.get(ValueLayout.ADDRESS, 0);
      MemorySegment target = NativeMemory.allocate(Dnnl.dnnl_memory_desc_get_size(descriptor));
      check(
          Dnnl.dnnl_reorder_primitive_desc_create(
              out, from, engine.handle(), descriptor, engine.handle(), MemorySegment.NULL),
          "reorder_primitive_desc_create");
      try (Primitive reorder =
          new Primitive(
              engine, out.get(ValueLayout.ADDRESS, 0), Dnnl.DNNL_ARG_FROM(), Dnnl.DNNL_ARG_TO())) {
        reorder.execute(source, target);
      }
      engine.countWeights(target.byteSize());
      return new Layout(descriptor, target);
    }
  }

  private void release(Layout layout) {
    Dnnl.dnnl_memory_desc_destroy(layout.descriptor());
    engine.countWeights(-layout.data().byteSize());
    NativeMemory.free(layout.data());
  }

  @Override
  public void close() {
    layouts.forEach(this::release);
    layouts.clear();
  }
}

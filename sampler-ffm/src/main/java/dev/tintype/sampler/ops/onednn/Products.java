package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Matrix products for the tasks of a parallel loop: one thread each, the right side packed
 * beforehand into the layout that oneDNN's kernel reads fastest.
 */
final class Products {

  /**
   * [rows, inner] times [inner, columns].
   *
   * @param leftStride elements between rows of the left side
   * @param targetStride elements between rows of the result
   */
  record Key(long rows, long inner, long columns, long leftStride, long targetStride) {
    Key withRows(long count) {
      return new Key(count, inner, columns, leftStride, targetStride);
    }
  }

  /** Reorders a right side, given by its strides, into the layout that {@code product} wants. */
  record PackKey(Key product, long innerStride, long columnStride) {}

  /** The packed layout is the one that oneDNN chooses for this many rows; others must take it. */
  private static final long TYPICAL_ROWS = 64;

  private final Engine engine;

  Products(Engine engine) {
    this.engine = engine;
  }

  /** Arguments: left, packed right, result. */
  Primitive product(Key key) {
    return engine.taskPrimitive(key, () -> create(key));
  }

  /** Arguments: plain right side, packed right side. */
  Primitive pack(PackKey key) {
    MemorySegment wanted = packed(key.product());
    return engine.taskPrimitive(key, () -> createPack(key, wanted));
  }

  /** Layout of the packed right side. */
  MemorySegment packed(Key key) {
    return product(key.withRows(TYPICAL_ROWS)).descriptor(Dnnl.DNNL_ARG_WEIGHTS());
  }

  long packedBytes(Key key) {
    return Dnnl.dnnl_memory_desc_get_size(packed(key));
  }

  private Primitive create(Key key) {
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      MemorySegment right =
          key.rows() == TYPICAL_ROWS ? d.any(key.inner(), key.columns()) : packed(key);
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      OpenMpTeam.setThreads(1);
      check(
          Dnnl.dnnl_matmul_primitive_desc_create(
              description,
              engine.handle(),
              d.strided(new long[] {key.rows(), key.inner()}, new long[] {key.leftStride(), 1}),
              right,
              MemorySegment.NULL,
              d.strided(new long[] {key.rows(), key.columns()}, new long[] {key.targetStride(), 1}),
              attributes.handle()),
          "matmul_primitive_desc_create");
      return new Primitive(
          engine,
          true,
          description.get(ValueLayout.ADDRESS, 0),
          Dnnl.DNNL_ARG_SRC(),
          Dnnl.DNNL_ARG_WEIGHTS(),
          Dnnl.DNNL_ARG_DST());
    }
  }

  private Primitive createPack(PackKey key, MemorySegment wanted) {
    Key product = key.product();
    try (Descriptors d = new Descriptors();
        Attributes attributes = Attributes.exact()) {
      MemorySegment plain =
          d.strided(
              new long[] {product.inner(), product.columns()},
              new long[] {key.innerStride(), key.columnStride()});
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      check(
          Dnnl.dnnl_reorder_primitive_desc_create(
              description, plain, engine.handle(), wanted, engine.handle(), attributes.handle()),
          "reorder_primitive_desc_create");
      return new Primitive(
          engine,
          true,
          description.get(ValueLayout.ADDRESS, 0),
          Dnnl.DNNL_ARG_FROM(),
          Dnnl.DNNL_ARG_TO());
    }
  }
}

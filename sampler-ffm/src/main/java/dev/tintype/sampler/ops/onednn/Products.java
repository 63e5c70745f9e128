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
   * [batch, rows, inner] times [batch, inner, columns].
   *
   * @param leftStride elements between rows of the left side
   * @param targetStride elements between rows of the result
   */
  record Key(long batch, long rows, long inner, long columns, long leftStride, long targetStride) {}

  /** Reorders a right side, given by its strides, into the layout that {@code product} wants. */
  record PackKey(Key product, long innerStride, long columnStride) {}

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
    return product(key).descriptor(Dnnl.DNNL_ARG_WEIGHTS());
  }

  long packedBytes(Key key) {
    return Dnnl.dnnl_memory_desc_get_size(packed(key));
  }

  private Primitive create(Key key) {
    try (Descriptors d = new Descriptors();
        Attributes attributes = new Attributes(engine)) {
      MemorySegment description = d.arena().allocate(ValueLayout.ADDRESS);
      boolean single = key.batch() == 1;
      check(
          Dnnl.dnnl_matmul_primitive_desc_create(
              description,
              engine.handle(),
              matrix(d, single, key.batch(), key.rows(), key.inner(), key.leftStride()),
              single
                  ? d.any(key.inner(), key.columns())
                  : d.any(key.batch(), key.inner(), key.columns()),
              MemorySegment.NULL,
              matrix(d, single, key.batch(), key.rows(), key.columns(), key.targetStride()),
              attributes.handle()),
          "matmul_primitive_desc_create");
      return new Primitive(
          engine,
          engine.team().threads(),
          description.get(ValueLayout.ADDRESS, 0),
          Dnnl.DNNL_ARG_SRC(),
          Dnnl.DNNL_ARG_WEIGHTS(),
          Dnnl.DNNL_ARG_DST());
    }
  }

  private static MemorySegment matrix(
      Descriptors d, boolean single, long batch, long rows, long columns, long stride) {
    return single
        ? d.strided(new long[] {rows, columns}, new long[] {stride, 1})
        : d.strided(new long[] {batch, rows, columns}, new long[] {rows * stride, stride, 1});
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
          engine.team().threads(),
          description.get(ValueLayout.ADDRESS, 0),
          Dnnl.DNNL_ARG_FROM(),
          Dnnl.DNNL_ARG_TO());
    }
  }
}

package dev.tintype.sampler.ops.onednn;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Primitives by shape; the least recently used one is destroyed when there are too many. */
final class PrimitiveCache implements AutoCloseable {
  private final int primitivesMax;
  private final LinkedHashMap<Object, Primitive> byKey = new LinkedHashMap<>(256, 0.75f, true);

  PrimitiveCache(int primitivesMax) {
    this.primitivesMax = primitivesMax;
  }

  int size() {
    return byKey.size();
  }

  Primitive get(Object key, Supplier<Primitive> make) {
    Primitive known = byKey.get(key);
    if (known != null) {
      return known;
    }
    Primitive made = make.get();
    byKey.put(key, made);
    if (byKey.size() > primitivesMax) {
      Map.Entry<Object, Primitive> eldest = byKey.firstEntry();
      byKey.remove(eldest.getKey());
      eldest.getValue().close();
    }
    return made;
  }

  @Override
  public void close() {
    byKey.values().forEach(Primitive::close);
    byKey.clear();
  }
}

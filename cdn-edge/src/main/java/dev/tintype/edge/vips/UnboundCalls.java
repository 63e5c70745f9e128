package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_DOUBLE;
import static dev.tintype.edge.bindings.vips.Vips.C_INT;
import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * Six functions of libvips that the generated bindings leave out, bound by hand: the generated
 * class is never edited, and generating it anew needs jextract and libvips' headers, which a build
 * need not have. Whoever generates it for another reason adds these six to {@code vips.args} and
 * deletes this class. Nothing else is bound by hand.
 */
record UnboundCalls(
    MethodHandle copyMemory,
    MethodHandle premultiply,
    MethodHandle unpremultiply,
    MethodHandle arrayDouble,
    MethodHandle areaUnref,
    MethodHandle resize,
    MemorySegment vscale) {

  static UnboundCalls make() {
    return new UnboundCalls(
        handle("vips_image_copy_memory", FunctionDescriptor.of(C_POINTER, C_POINTER)),
        step("vips_premultiply"),
        step("vips_unpremultiply"),
        handle("vips_array_double_new", FunctionDescriptor.of(C_POINTER, C_POINTER, C_INT)),
        handle("vips_area_unref", FunctionDescriptor.ofVoid(C_POINTER)),
        handle(
            "vips_resize",
            FunctionDescriptor.of(
                C_INT, C_POINTER, C_POINTER, C_DOUBLE, C_POINTER, C_DOUBLE, C_POINTER),
            Linker.Option.firstVariadicArg(3)),
        Arena.global().allocateFrom("vscale"));
  }

  /** {@code int f(VipsImage *in, VipsImage **out, ..., NULL)}. */
  private static MethodHandle step(String name) {
    return handle(
        name,
        FunctionDescriptor.of(C_INT, C_POINTER, C_POINTER, C_POINTER),
        Linker.Option.firstVariadicArg(2));
  }

  private static MethodHandle handle(
      String name, FunctionDescriptor shape, Linker.Option... options) {
    MemorySegment address = SymbolLookup.loaderLookup().findOrThrow(name);
    return Linker.nativeLinker().downcallHandle(address, shape, options);
  }

  /** A picture in memory, all its pixels made; NULL where that failed. */
  MemorySegment copyMemory(MemorySegment image) {
    try {
      return (MemorySegment) copyMemory.invokeExact(image);
    } catch (Throwable e) {
      throw new AssertionError("vips_image_copy_memory", e);
    }
  }

  int premultiply(MemorySegment in, MemorySegment out) {
    try {
      return (int) premultiply.invokeExact(in, out, MemorySegment.NULL);
    } catch (Throwable e) {
      throw new AssertionError("vips_premultiply", e);
    }
  }

  int unpremultiply(MemorySegment in, MemorySegment out) {
    try {
      return (int) unpremultiply.invokeExact(in, out, MemorySegment.NULL);
    } catch (Throwable e) {
      throw new AssertionError("vips_unpremultiply", e);
    }
  }

  /**
   * Scales with the Lanczos kernel.
   *
   * @param across wanted width over width
   * @param down wanted height over height
   */
  int resize(MemorySegment in, MemorySegment out, double across, double down) {
    try {
      return (int) resize.invokeExact(in, out, across, vscale, down, MemorySegment.NULL);
    } catch (Throwable e) {
      throw new AssertionError("vips_resize", e);
    }
  }

  /** A VipsArrayDouble; the caller gives it back with {@link #areaUnref}. */
  MemorySegment arrayDouble(MemorySegment doubles, int count) {
    try {
      return (MemorySegment) arrayDouble.invokeExact(doubles, count);
    } catch (Throwable e) {
      throw new AssertionError("vips_array_double_new", e);
    }
  }

  void areaUnref(MemorySegment area) {
    try {
      areaUnref.invokeExact(area);
    } catch (Throwable e) {
      throw new AssertionError("vips_area_unref", e);
    }
  }
}

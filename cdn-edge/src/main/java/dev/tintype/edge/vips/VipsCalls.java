package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_DOUBLE;
import static dev.tintype.edge.bindings.vips.Vips.C_INT;
import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * Native handles with the optional arguments that the edge gives; each list of those ends with
 * NULL. Made after the library is loaded, because they look their symbols up.
 */
record VipsCalls(
    Vips.vips_image_new_from_buffer open,
    Vips.vips_thumbnail_buffer thumbnail,
    Vips.vips_thumbnail_buffer thumbnailTo,
    Vips.vips_thumbnail_image thumbnailImage,
    Vips.vips_extract_area extract,
    Vips.vips_smartcrop smartcrop,
    Vips.vips_embed embed,
    Vips.vips_embed embedOn,
    Vips.vips_flatten flatten,
    Vips.vips_flatten flattenOn,
    Vips.vips_colourspace colourspace,
    Vips.vips_copy copy,
    Vips.vips_copy copyAs,
    Vips.vips_cast cast,
    Vips.vips_gaussblur blur,
    Vips.vips_sharpen sharpen,
    Vips.vips_composite2 composite,
    Vips.vips_text text,
    Vips.vips_image_write_to_buffer write,
    Unbound unbound) {

  static VipsCalls make() {
    return new VipsCalls(
        Vips.vips_image_new_from_buffer.makeInvoker(C_POINTER, C_INT, C_POINTER),
        Vips.vips_thumbnail_buffer.makeInvoker(
            C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER),
        Vips.vips_thumbnail_buffer.makeInvoker(
            C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER, C_POINTER,
            C_POINTER),
        Vips.vips_thumbnail_image.makeInvoker(C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER),
        Vips.vips_extract_area.makeInvoker(C_POINTER),
        Vips.vips_smartcrop.makeInvoker(C_POINTER, C_INT, C_POINTER),
        Vips.vips_embed.makeInvoker(C_POINTER, C_INT, C_POINTER),
        Vips.vips_embed.makeInvoker(C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER),
        Vips.vips_flatten.makeInvoker(C_POINTER),
        Vips.vips_flatten.makeInvoker(C_POINTER, C_POINTER, C_POINTER),
        Vips.vips_colourspace.makeInvoker(C_POINTER),
        Vips.vips_copy.makeInvoker(C_POINTER),
        Vips.vips_copy.makeInvoker(C_POINTER, C_INT, C_POINTER),
        Vips.vips_cast.makeInvoker(C_POINTER),
        Vips.vips_gaussblur.makeInvoker(C_POINTER),
        Vips.vips_sharpen.makeInvoker(C_POINTER, C_DOUBLE, C_POINTER),
        Vips.vips_composite2.makeInvoker(C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER),
        Vips.vips_text.makeInvoker(C_POINTER, C_POINTER, C_POINTER, C_INT, C_POINTER),
        Vips.vips_image_write_to_buffer.makeInvoker(C_POINTER),
        Unbound.make());
  }

  /** Functions of libvips that the generated bindings leave out. */
  record Unbound(
      MethodHandle copyMemory,
      MethodHandle premultiply,
      MethodHandle unpremultiply,
      MethodHandle arrayDouble,
      MethodHandle areaUnref) {

    private static Unbound make() {
      return new Unbound(
          handle("vips_image_copy_memory", FunctionDescriptor.of(C_POINTER, C_POINTER)),
          step("vips_premultiply"),
          step("vips_unpremultiply"),
          handle("vips_array_double_new", FunctionDescriptor.of(C_POINTER, C_POINTER, C_INT)),
          handle("vips_area_unref", FunctionDescriptor.ofVoid(C_POINTER)));
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
}

package dev.tintype.edge.vips;

import static java.lang.foreign.MemorySegment.NULL;

import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.url.Gravity;
import dev.tintype.edge.url.Look;
import dev.tintype.edge.url.VariantSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;

/** The operations between the scaled picture and the encoder, in the order in which they run. */
final class Shaping {
  private static final double TENTH = 0.1;

  /** VIPS_FORMAT_UCHAR: 8 bits a sample. */
  private static final int UCHAR = 0;

  private Shaping() {}

  /** Cuts the scaled picture to its box, or fills the box up around it. */
  static void toBox(
      VipsCalls calls, Arena arena, ImageChain chain, Geometry geometry, VariantSpec spec) {
    Gravity gravity = spec.area().gravity();
    if (geometry.cuts() && gravity == Gravity.SMART) {
      smart(calls, arena, chain, geometry);
    } else if (geometry.cuts()) {
      chain.then(
          "box",
          (in, out) ->
              calls
                  .extract()
                  .apply(
                      in,
                      out,
                      geometry.left(gravity),
                      geometry.top(gravity),
                      geometry.width(),
                      geometry.height(),
                      NULL));
    } else if (geometry.fillsUp()) {
      flatten(calls, arena, chain, spec.look().background());
      fillUp(calls, arena, chain, geometry, spec.look().background());
    }
  }

  /**
   * Looks at the whole picture before it cuts, so that picture has to be in memory: as scaled,
   * which is never more than the pixel budget of the original.
   */
  private static void smart(VipsCalls calls, Arena arena, ImageChain chain, Geometry geometry) {
    MemorySegment whole = calls.unbound().copyMemory(chain.image());
    if (whole.address() == 0) {
      throw ImageChain.broken("pixels");
    }
    chain.take(whole);
    chain.then(
        "smart",
        (in, out) ->
            calls
                .smartcrop()
                .apply(
                    in,
                    out,
                    geometry.width(),
                    geometry.height(),
                    arena.allocateFrom("interesting"),
                    Vips.VIPS_INTERESTING_ATTENTION(),
                    NULL));
  }

  private static void fillUp(
      VipsCalls calls, Arena arena, ImageChain chain, Geometry geometry, OptionalInt background) {
    int left = geometry.left(Gravity.CENTRE);
    int top = geometry.top(Gravity.CENTRE);
    MemorySegment extend = arena.allocateFrom("extend");
    if (background.isEmpty()) {
      int how = chain.alpha() ? Vips.VIPS_EXTEND_BLACK() : Vips.VIPS_EXTEND_WHITE();
      chain.then(
          "box",
          (in, out) ->
              calls
                  .embed()
                  .apply(
                      in, out, left, top, geometry.width(), geometry.height(), extend, how, NULL));
      return;
    }
    toColour(calls, chain);
    MemorySegment colour = colour(calls, arena, background.getAsInt());
    try {
      chain.then(
          "box",
          (in, out) ->
              calls
                  .embedOn()
                  .apply(
                      in,
                      out,
                      left,
                      top,
                      geometry.width(),
                      geometry.height(),
                      extend,
                      Vips.VIPS_EXTEND_BACKGROUND(),
                      arena.allocateFrom("background"),
                      colour,
                      NULL));
    } finally {
      calls.unbound().areaUnref(colour);
    }
  }

  /** Background, blur, sharpening. */
  static void look(VipsCalls calls, Arena arena, ImageChain chain, Look look) {
    flatten(calls, arena, chain, look.background());
    if (look.blurTenths() > 0) {
      blur(calls, chain, look.blurTenths() * TENTH);
    }
    if (look.sharpenTenths() > 0) {
      chain.then(
          "sharpen",
          (in, out) ->
              calls
                  .sharpen()
                  .apply(in, out, arena.allocateFrom("sigma"), look.sharpenTenths() * TENTH, NULL));
    }
  }

  private static void flatten(
      VipsCalls calls, Arena arena, ImageChain chain, OptionalInt background) {
    if (background.isEmpty() || !chain.alpha()) {
      return;
    }
    toColour(calls, chain);
    MemorySegment colour = colour(calls, arena, background.getAsInt());
    try {
      chain.then(
          "background",
          (in, out) ->
              calls.flattenOn().apply(in, out, arena.allocateFrom("background"), colour, NULL));
    } finally {
      calls.unbound().areaUnref(colour);
    }
  }

  /** Grey and 16-bit pictures have no room for a colour of three bytes. */
  private static void toColour(VipsCalls calls, ImageChain chain) {
    chain.then(
        "background",
        (in, out) -> calls.colourspace().apply(in, out, Vips.VIPS_INTERPRETATION_sRGB(), NULL));
  }

  private static MemorySegment colour(VipsCalls calls, Arena arena, int rgb) {
    MemorySegment channels =
        arena.allocateFrom(
            ValueLayout.JAVA_DOUBLE, (rgb >> 16) & 0xff, (rgb >> 8) & 0xff, rgb & 0xff);
    return calls.unbound().arrayDouble(channels, 3);
  }

  /** The colour of transparent pixels must not bleed into their neighbours. */
  private static void blur(VipsCalls calls, ImageChain chain, double sigma) {
    boolean alpha = chain.alpha();
    if (alpha) {
      toColour(calls, chain);
      chain.then("blur", calls.unbound()::premultiply);
    }
    chain.then("blur", (in, out) -> calls.blur().apply(in, out, sigma, NULL));
    if (alpha) {
      chain.then("blur", calls.unbound()::unpremultiply);
      chain.then("blur", (in, out) -> calls.cast().apply(in, out, UCHAR, NULL));
    }
  }
}

package dev.tintype.edge.vips;

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

  private Shaping() {}

  /** Cuts the scaled picture to its box, or fills the box up around it. */
  static void toBox(
      VipsCalls calls, Arena arena, ImageChain chain, Geometry geometry, VariantSpec spec) {
    Gravity gravity = spec.area().gravity();
    if (geometry.cuts() && gravity == Gravity.SMART) {
      smart(calls, chain, geometry);
    } else if (geometry.cuts()) {
      int left = geometry.left(gravity);
      int top = geometry.top(gravity);
      chain.then(
          "box",
          (in, out) -> calls.extract(in, out, left, top, geometry.width(), geometry.height()));
    } else if (geometry.fillsUp()) {
      flatten(calls, arena, chain, spec.look().background());
      fillUp(calls, arena, chain, geometry, spec.look().background());
    }
  }

  /**
   * Looks at the whole picture before it cuts, so that picture has to be in memory: as scaled,
   * which is never more than the pixel budget of the original.
   */
  private static void smart(VipsCalls calls, ImageChain chain, Geometry geometry) {
    MemorySegment whole = calls.unbound().copyMemory(chain.image());
    if (whole.address() == 0) {
      throw ImageChain.broken("pixels");
    }
    chain.take(whole);
    chain.then("smart", (in, out) -> calls.smartcrop(in, out, geometry.width(), geometry.height()));
  }

  private static void fillUp(
      VipsCalls calls, Arena arena, ImageChain chain, Geometry geometry, OptionalInt background) {
    int left = geometry.left(Gravity.CENTRE);
    int top = geometry.top(Gravity.CENTRE);
    int width = geometry.width();
    int height = geometry.height();
    if (background.isEmpty()) {
      int how = chain.alpha() ? Vips.VIPS_EXTEND_BLACK() : Vips.VIPS_EXTEND_WHITE();
      chain.then("box", (in, out) -> calls.embed(in, out, left, top, width, height, how));
      return;
    }
    toColour(calls, chain);
    MemorySegment colour = colour(calls, arena, background.getAsInt());
    try {
      chain.then("box", (in, out) -> calls.embedOn(in, out, left, top, width, height, colour));
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
      chain.then("sharpen", (in, out) -> calls.sharpen(in, out, look.sharpenTenths() * TENTH));
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
      chain.then("background", (in, out) -> calls.flattenOn(in, out, colour));
    } finally {
      calls.unbound().areaUnref(colour);
    }
  }

  /** Grey and 16-bit pictures have no room for a colour of three bytes. */
  private static void toColour(VipsCalls calls, ImageChain chain) {
    chain.then("background", calls::toSrgb);
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
    chain.then("blur", (in, out) -> calls.blur(in, out, sigma));
    if (alpha) {
      chain.then("blur", calls.unbound()::unpremultiply);
      chain.then("blur", calls::toBytes);
    }
  }
}

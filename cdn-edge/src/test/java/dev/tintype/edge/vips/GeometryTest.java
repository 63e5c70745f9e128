package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.url.Fit;
import dev.tintype.edge.url.Gravity;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.VariantSpec;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GeometryTest {

  private static Geometry of(int width, int height, int boxWidth, int boxHeight, Fit fit) {
    OptionalInt w = boxWidth == 0 ? OptionalInt.empty() : OptionalInt.of(boxWidth);
    OptionalInt h = boxHeight == 0 ? OptionalInt.empty() : OptionalInt.of(boxHeight);
    return Geometry.of(width, height, new VariantSpec(w, h, fit, ImageFormat.WEBP, 80));
  }

  @ParameterizedTest
  @CsvSource({
    "400,300,0,0,INSIDE,400,300,400,300",
    "400,300,200,0,INSIDE,200,150,200,150",
    "400,300,100,100,INSIDE,100,75,100,75",
    "400,300,100,100,COVER,133,100,100,100",
    "400,300,100,100,CONTAIN,100,75,100,100",
    "400,300,800,600,INSIDE,400,300,400,300",
    "400,300,1000,1000,COVER,400,300,300,300",
    "400,300,1000,1000,CONTAIN,400,300,400,400",
    "10000,1,100,0,INSIDE,100,1,100,1",
    "1,1,256,256,COVER,1,1,1,1",
  })
  void theNumbersAre(
      int width,
      int height,
      int boxWidth,
      int boxHeight,
      Fit fit,
      int scaledW,
      int scaledH,
      int outW,
      int outH) {
    assertThat(of(width, height, boxWidth, boxHeight, fit))
        .isEqualTo(new Geometry(scaledW, scaledH, outW, outH));
  }

  @Property(tries = 2000)
  void nothingIsEnlargedAndEveryCutLiesInside(
      @ForAll @IntRange(min = 1, max = 16_000) int width,
      @ForAll @IntRange(min = 1, max = 16_000) int height,
      @ForAll @IntRange(min = 1, max = 8192) int boxWidth,
      @ForAll @IntRange(min = 1, max = 8192) int boxHeight,
      @ForAll Fit fit) {
    Geometry geometry = of(width, height, boxWidth, boxHeight, fit);
    assertThat(geometry.scaledWidth()).isBetween(1, width);
    assertThat(geometry.scaledHeight()).isBetween(1, height);
    assertThat(geometry.width()).isBetween(1, boxWidth);
    assertThat(geometry.height()).isBetween(1, boxHeight);
    // A picture is either cut or filled up, never cut on one side and filled up on the other.
    assertThat(geometry.cuts() && geometry.fillsUp()).isFalse();
    int outer = Math.max(geometry.width(), geometry.scaledWidth());
    assertThat(geometry.left(Gravity.CENTRE) + Math.min(geometry.width(), geometry.scaledWidth()))
        .isLessThanOrEqualTo(outer);
  }
}

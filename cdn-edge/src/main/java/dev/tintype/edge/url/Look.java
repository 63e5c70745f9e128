package dev.tintype.edge.url;

import java.util.List;
import java.util.OptionalInt;

/**
 * The operations that change what a picture looks like.
 *
 * @param blurTenths {@code blur}: sigma of a Gaussian in tenths of a pixel of the variant, 3 to
 *     500; 0 for none
 * @param sharpenTenths {@code sharpen}: sigma in tenths of a pixel of the variant, 3 to 100; 0 for
 *     none
 * @param background {@code bg}: 0xRRGGBB, behind transparency and around a picture that {@link
 *     Fit#CONTAIN} does not fill
 * @param watermark {@code watermark}: the mark that the configuration names
 */
public record Look(int blurTenths, int sharpenTenths, OptionalInt background, boolean watermark) {
  static final int SIGMA_TENTHS_MIN = 3;

  /** A mask of some 300 pixels; a wider one would cost seconds. */
  static final int BLUR_TENTHS_MAX = 500;

  static final int SHARPEN_TENTHS_MAX = 100;

  static final Look NONE = new Look(0, 0, OptionalInt.empty(), false);

  Look withBlur(int tenths) {
    return new Look(tenths, sharpenTenths, background, watermark);
  }

  Look withSharpen(int tenths) {
    return new Look(blurTenths, tenths, background, watermark);
  }

  Look withBackground(int rgb) {
    return new Look(blurTenths, sharpenTenths, OptionalInt.of(rgb), watermark);
  }

  Look withWatermark() {
    return new Look(blurTenths, sharpenTenths, background, true);
  }

  void tokens(List<String> tokens) {
    if (blurTenths > 0) {
      tokens.add("blur:" + Values.decimal(blurTenths, 1));
    }
    if (sharpenTenths > 0) {
      tokens.add("sharpen:" + Values.decimal(sharpenTenths, 1));
    }
    background.ifPresent(each -> tokens.add("bg:" + Values.colour(each)));
    if (watermark) {
      tokens.add("watermark");
    }
  }
}

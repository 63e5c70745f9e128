package dev.tintype.edge.http;

import dev.tintype.edge.url.ImageFormat;
import io.vertx.core.http.HttpServerRequest;
import java.util.function.ToIntFunction;

/**
 * What a client says about its screen and its line: Sec-CH-DPR (Responsive Image Client Hints) and
 * Save-Data (RFC 8942's registry). Collapsed to few values before any cache key is made, so that a
 * hint costs a handful of variants, not one for every device.
 *
 * @param dprHundredths 100, 150, 200 or 300
 * @param saveData whether the client wants fewer bytes: then the density is 1, and the default
 *     quality three quarters of what it is
 */
record ClientHints(int dprHundredths, boolean saveData) {
  /** For Vary and Accept-CH. */
  static final String NAMES = "Save-Data, Sec-CH-DPR";

  static final ClientHints NONE = new ClientHints(100, false);

  private static final int[] STEPS = {300, 200, 150};

  /** A screen is given the next smaller step where it is this much below the next larger. */
  private static final int SLACK = 10;

  static ClientHints of(HttpServerRequest http) {
    return of(http.getHeader("Sec-CH-DPR"), http.getHeader("Save-Data"));
  }

  /** From the two headers; null when absent. */
  static ClientHints of(String dpr, String saveData) {
    boolean save = saveData != null && saveData.strip().equalsIgnoreCase("on");
    return new ClientHints(save ? 100 : step(dpr), save);
  }

  private static int step(String dpr) {
    if (dpr == null || !dpr.matches("\\d{1,2}(\\.\\d{1,4})?")) {
      return 100;
    }
    double hundredths = Double.parseDouble(dpr) * 100;
    for (int step : STEPS) {
      if (hundredths >= step - SLACK) {
        return step;
      }
    }
    return 100;
  }

  /** The default quality, as these hints change it. */
  ToIntFunction<ImageFormat> quality(ToIntFunction<ImageFormat> base) {
    return saveData ? format -> Math.max(1, base.applyAsInt(format) * 3 / 4) : base;
  }
}

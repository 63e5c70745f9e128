package dev.tintype.edge.vips;

/** Makes letters legible on every ground: white, with a soft dark edge. */
final class MarkLetters {
  /** Room for the edge on every side, px at the size in which the letters are drawn. */
  static final int PAD = 8;

  /** The blurred edge is thin; made stronger, it shows on white. */
  private static final int STRENGTH = 3;

  private static final int ROUNDS = 3;
  private static final int RADIUS = PAD / (ROUNDS + 1);

  private MarkLetters() {}

  /**
   * RGB and alpha, not premultiplied, with {@link #PAD} on each side.
   *
   * @param coverage [height, width] of 8 bits: how much of each pixel the letters cover
   */
  static byte[] rgba(byte[] coverage, int width, int height) {
    int w = width + 2 * PAD;
    int h = height + 2 * PAD;
    int[] letters = new int[w * h];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        letters[(y + PAD) * w + x + PAD] = coverage[y * width + x] & 0xff;
      }
    }
    int[] shadow = letters.clone();
    // Box blurs one after another come near a Gaussian.
    for (int round = 0; round < ROUNDS; round++) {
      shadow = blurred(blurred(shadow, w, h, 1, w), w, h, w, 1);
    }
    byte[] rgba = new byte[w * h * 4];
    for (int i = 0; i < w * h; i++) {
      int white = letters[i];
      int dark = Math.min(255, STRENGTH * shadow[i]) * (255 - white) / 255;
      int alpha = white + dark;
      byte value = (byte) (alpha == 0 ? 0 : 255 * white / alpha);
      rgba[i * 4] = value;
      rgba[i * 4 + 1] = value;
      rgba[i * 4 + 2] = value;
      rgba[i * 4 + 3] = (byte) alpha;
    }
    return rgba;
  }

  /** Mean of the neighbours along one axis; what lies outside is empty. */
  private static int[] blurred(int[] values, int w, int h, int step, int other) {
    int length = step == 1 ? w : h;
    int lines = step == 1 ? h : w;
    int[] result = new int[values.length];
    for (int line = 0; line < lines; line++) {
      for (int at = 0; at < length; at++) {
        int sum = 0;
        for (int k = Math.max(0, at - RADIUS); k <= Math.min(length - 1, at + RADIUS); k++) {
          sum += values[line * other + k * step];
        }
        result[line * other + at * step] = sum / (2 * RADIUS + 1);
      }
    }
    return result;
  }
}

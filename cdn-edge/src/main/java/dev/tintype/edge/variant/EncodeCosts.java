package dev.tintype.edge.variant;

import dev.tintype.edge.url.ImageFormat;

/**
 * How long an AVIF takes, learned from those that were made: so many ns for each pixel that is
 * written, and a sixteenth of that for each that is read, since decoding is so much cheaper. Before
 * the first, what was measured: 70 ns at effort 0 (2725 x 2225 px to 512 px in 41 ms,
 * docs/edge.md), and about twice as much with each step.
 */
final class EncodeCosts {
  private static final double NS_AT_EFFORT_0 = 70;
  private static final int READ_SHARE = 16;
  private static final double NS_PER_MS = 1e6;

  /** Weight of the newest: some ten encodes decide. */
  private static final double NEWEST = 0.1;

  private final int threads;
  private double nsPerPixel;
  private double anyMs;

  /**
   * Knows nothing yet.
   *
   * @param threads encodes at once
   * @param effort of AVIF
   */
  EncodeCosts(int threads, int effort) {
    this.threads = threads;
    nsPerPixel = NS_AT_EFFORT_0 * (1 << effort);
  }

  /** How many pixels an encode costs. */
  static long work(long pixelsRead, long pixelsWritten) {
    return pixelsWritten + pixelsRead / READ_SHARE;
  }

  /** What an encode has taken; only those of AVIF teach what a pixel costs. */
  synchronized void learn(ImageFormat format, long work, double ms) {
    anyMs += NEWEST * (ms - anyMs);
    if (format == ImageFormat.AVIF && work > 0) {
      nsPerPixel += NEWEST * (ms * NS_PER_MS / work - nsPerPixel);
    }
  }

  /** How long an AVIF will take, ms. */
  synchronized double avifMs(long work) {
    return work * nsPerPixel / NS_PER_MS;
  }

  /** How long an encode waits behind so many others, ms. */
  synchronized double waitMs(int queued) {
    return queued * anyMs / threads;
  }
}

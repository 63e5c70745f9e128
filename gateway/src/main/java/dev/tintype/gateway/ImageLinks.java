package dev.tintype.gateway;

/**
 * Makes the URLs under which the edge serves a stored picture. Pure and quick: called on the event
 * loop.
 */
@FunctionalInterface
public interface ImageLinks {
  /**
   * @param sha256 name of the stored original, 64 hex digits
   * @param width pixels of the original
   * @param height pixels of the original
   * @param tier of the job that made it: pictures of some tiers carry a watermark
   */
  Urls urls(String sha256, int width, int height, String tier);

  /**
   * Absolute URLs, or paths on the gateway's own origin.
   *
   * @param original the stored file, PNG with the recipe inside; where the tier's pictures carry a
   *     watermark, the same picture with it
   * @param webp full size, WebP
   * @param avif full size, AVIF
   * @param jpeg full size, JPEG
   * @param thumb small, in the best format that the client accepts
   */
  record Urls(String original, String webp, String avif, String jpeg, String thumb) {}
}

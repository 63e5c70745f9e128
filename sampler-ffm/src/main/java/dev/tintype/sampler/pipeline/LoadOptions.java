package dev.tintype.sampler.pipeline;

/**
 * How a pipeline is loaded.
 *
 * @param listener told before each part is loaded
 */
public record LoadOptions(Listener listener) {

  /** Sees the progress of a load, on the loading thread. */
  @FunctionalInterface
  public interface Listener {
    /**
     * @param part folder of the part that is loaded next: {@code unet}, {@code vae}, ...
     * @param fraction of all weight bytes that are loaded, 0 to 1
     */
    void loading(String part, double fraction);
  }

  public static LoadOptions defaults() {
    return new LoadOptions((part, fraction) -> {});
  }
}

package dev.tintype.node;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.Preset;
import dev.tintype.edge.url.VariantUrls;
import dev.tintype.gateway.ImageLinks;
import java.util.function.UnaryOperator;

/**
 * The gateway's links to pictures, signed for the edge. Where a tier's pictures carry a watermark,
 * every link has it, and there is none to the stored file.
 */
final class EdgeLinks implements ImageLinks {
  private final VariantUrls urls;
  private final EdgeConfig.Watermark watermark;
  private final UnaryOperator<String> origin;

  /**
   * @param origin makes a path into the URL that a client is given
   */
  EdgeLinks(EdgeConfig config, UnaryOperator<String> origin) {
    this.urls = new VariantUrls(config.keys());
    this.watermark = config.watermark();
    this.origin = origin;
  }

  @Override
  public Urls urls(String sha256, int width, int height, String tier) {
    boolean marked = watermark.marks(tier);
    Operations full = marked ? Operations.none().watermark() : Operations.none();
    String original =
        marked
            ? urls.variant(sha256, full, ImageFormat.PNG)
            : urls.original(sha256, ImageFormat.PNG);
    return new Urls(
        origin.apply(original),
        origin.apply(urls.variant(sha256, full, ImageFormat.WEBP)),
        origin.apply(urls.variant(sha256, full, ImageFormat.AVIF)),
        origin.apply(urls.variant(sha256, full, ImageFormat.JPEG)),
        origin.apply(urls.auto(sha256, full.with(Preset.THUMB))));
  }
}

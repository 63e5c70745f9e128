package dev.tintype.perf.edge;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.KillSwitch;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import dev.tintype.node.NodeException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Optional;
import javax.imageio.ImageIO;

/** The edge's encoder, called directly, at one AVIF effort. */
final class Variants {
  private static final int SIDE_PX_MAX = 8192;

  private final Transcoder transcoder;

  /** A variant and the time it took, decoding and resizing included. */
  @SuppressWarnings("ArrayRecordComponent")
  record Made(byte[] bytes, double ms) {}

  Variants(int avifEffort) {
    EdgeConfig.Encoder base = EdgeConfig.Encoder.defaults();
    EdgeConfig.Encoder encoder =
        new EdgeConfig.Encoder(
            1,
            1,
            base.jpegQuality(),
            base.webpQuality(),
            base.avifQuality(),
            avifEffort,
            base.keepMetadata(),
            base.library());
    transcoder =
        switch (VipsLibrary.load(Optional.empty())) {
          case VipsLibrary.Ready ready ->
              new Transcoder(ready, encoder, EdgeConfig.Limits.defaults());
          case VipsLibrary.Unavailable(String reason) ->
              throw new NodeException.Start("bench.missing", reason);
        };
  }

  Made make(byte[] original, int width, ImageFormat format, int quality) throws IOException {
    long start = System.nanoTime();
    byte[] bytes = encode(original, Operations.none().width(width).quality(quality), format);
    return new Made(bytes, (System.nanoTime() - start) / 1e6);
  }

  /** Resized by the same steps, and nothing lost. */
  BufferedImage exact(byte[] original, int width) throws IOException {
    return read(encode(original, Operations.none().width(width), ImageFormat.PNG));
  }

  BufferedImage decode(byte[] variant) throws IOException {
    return read(encode(variant, Operations.none(), ImageFormat.PNG));
  }

  private static BufferedImage read(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private byte[] encode(byte[] original, Operations operations, ImageFormat format)
      throws IOException {
    return transcoder.transcode(
        new OriginalImage.InMemory(original),
        operations.resolve(format, SIDE_PX_MAX, EdgeConfig.Encoder.defaults()::quality),
        new KillSwitch());
  }
}

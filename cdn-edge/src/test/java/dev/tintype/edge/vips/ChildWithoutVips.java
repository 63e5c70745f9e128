package dev.tintype.edge.vips;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.variant.VariantService;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/** Runs in a process of its own, because a process has one libvips for life. */
final class ChildWithoutVips {
  private ChildWithoutVips() {}

  public static void main(String[] arguments) {
    EdgeConfig config =
        EdgeConfig.of(
            SigningKeys.parse("k1:000102030405060708090a0b0c0d0e0f"), Path.of(arguments[0]));
    byte[] png = Pictures.png(8, 8);
    String sha256 = Pictures.sha256(png);
    try (VariantService variants =
        new VariantService(config, asked -> Optional.of(new OriginalImage.InMemory(png)))) {
      System.out.println(
          "original " + variants.original(sha256, ImageFormat.PNG).join().served().body().size());
      var spec = Operations.none().resolve(ImageFormat.WEBP, 8192, config.encoder()::quality);
      System.out.println(
          "variant " + variants.get(variants.key(sha256, spec)).served().join().body().size());
    } catch (CompletionException e) {
      EdgeException problem = (EdgeException) e.getCause();
      System.out.println(problem.status() + " " + problem.code() + " " + problem.getMessage());
    }
  }
}

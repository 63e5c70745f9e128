package dev.tintype.edge.hostile;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.hostile.HostileFiles.Hostile;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.variant.VariantService;
import dev.tintype.edge.vips.KillSwitch;
import dev.tintype.edge.vips.Loaded;
import dev.tintype.edge.vips.Transcoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/**
 * Asks an edge with its own default limits for a variant of each hostile original. Prints a line
 * for each: what is right, what came, ms, peak resident size in MiB, name.
 */
final class HostileChild {
  private HostileChild() {}

  public static void main(String[] arguments) throws IOException {
    EdgeConfig config =
        EdgeConfig.of(
            SigningKeys.parse("k1:000102030405060708090a0b0c0d0e0f"), Path.of(arguments[0]));
    Transcoder transcoder = new Transcoder(Loaded.vips(), config.encoder(), config.limits());
    List<Hostile> files =
        new HostileFiles((png, format) -> convert(transcoder, config, png, format)).all();
    Map<String, byte[]> originals = new HashMap<>();
    System.out.println("start 0 0 " + peakMib() + " all");
    try (VariantService variants =
        new VariantService(
            config,
            sha256 ->
                Optional.ofNullable(originals.get(sha256)).map(OriginalImage.InMemory::new))) {
      for (Hostile file : files) {
        String sha256 = Pictures.sha256(file.bytes());
        originals.put(sha256, file.bytes());
        long start = System.nanoTime();
        String answer = ask(config, variants, sha256);
        System.out.printf(
            "%s %s %d %d %s%n",
            String.join("|", file.answers()),
            answer,
            (System.nanoTime() - start) / 1_000_000,
            peakMib(),
            file.name());
        originals.remove(sha256);
      }
    }
    System.out.println("end 0 0 " + peakMib() + " all");
  }

  private static byte[] convert(
      Transcoder transcoder, EdgeConfig config, byte[] png, ImageFormat format) {
    try {
      return transcoder.transcode(
          new OriginalImage.InMemory(png),
          Operations.none().resolve(format, 8192, config.encoder()::quality),
          new KillSwitch());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String ask(EdgeConfig config, VariantService variants, String sha256) {
    try {
      var spec =
          Operations.none().width(64).resolve(ImageFormat.WEBP, 8192, config.encoder()::quality);
      return variants.get(variants.key(sha256, spec)).served().join().body().size() > 0
          ? HostileFiles.OK
          : "empty";
    } catch (CompletionException e) {
      return e.getCause() instanceof EdgeException problem ? problem.code() : e.toString();
    }
  }

  /** The most memory that this process has had so far. */
  private static long peakMib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElse(0);
  }
}

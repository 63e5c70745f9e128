package dev.tintype.perf.edge;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.KillSwitch;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Converts and converts, in a process of its own: every format to every format, with operations in
 * turn, on two threads as an edge's pool does. Says its resident memory a hundred times, a line
 * each: conversions so far, and KiB.
 */
final class SoakChild {
  private static final int THREADS = 2;
  private static final int SIDE_PX = 192;
  private static final int SIDE_PX_MAX = 8192;

  /** How often memory is told. */
  private static final int LINES = 100;

  private static final List<String> OPERATIONS =
      List.of(
          "w:96",
          "fit:cover,g:smart,h:64,w:96",
          "bg:336699,fit:contain,h:96,w:80",
          "blur:2,w:90",
          "sharpen:1,w:100",
          "lossless,w:48",
          "progressive,strip,w:110",
          "full");

  private final Transcoder transcoder;
  private final List<byte[]> originals = new ArrayList<>();

  private SoakChild(VipsLibrary.Ready library) {
    transcoder =
        new Transcoder(library, EdgeConfig.Encoder.defaults(), EdgeConfig.Limits.defaults());
    byte[] png = Photograph.png(Photograph.of(SIDE_PX, 3));
    originals.add(png);
    for (ImageFormat format : List.of(ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF)) {
      originals.add(convert(png, Operations.none(), format));
    }
  }

  /**
   * Runs the soak.
   *
   * @param arguments how many conversions
   */
  public static void main(String[] arguments) throws InterruptedException, ExecutionException {
    switch (VipsLibrary.load(Optional.empty())) {
      case VipsLibrary.Ready ready -> new SoakChild(ready).run(Integer.parseInt(arguments[0]));
      case VipsLibrary.Unavailable(String reason) -> {
        System.err.println(reason);
        System.exit(1);
      }
    }
  }

  private void run(int conversions) throws InterruptedException, ExecutionException {
    try (ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
      int done = 0;
      for (int line = 1; line <= LINES; line++) {
        int until = (int) ((long) conversions * line / LINES);
        List<Future<?>> parts = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
          int first = done + thread;
          parts.add(pool.submit(() -> convert(first, until)));
        }
        for (Future<?> part : parts) {
          part.get();
        }
        done = until;
        System.out.println(done + " " + residentKib());
      }
    }
  }

  private void convert(int first, int until) {
    for (int i = first; i < until; i += THREADS) {
      byte[] original = originals.get(i % originals.size());
      ImageFormat format = ImageFormat.values()[i / originals.size() % 4];
      String operations = OPERATIONS.get(i / (originals.size() * 4) % OPERATIONS.size());
      convert(original, Operations.parse(operations), format);
    }
  }

  private byte[] convert(byte[] original, Operations operations, ImageFormat format) {
    try {
      return transcoder.transcode(
          new OriginalImage.InMemory(original),
          operations.resolve(format, SIDE_PX_MAX, EdgeConfig.Encoder.defaults()::quality),
          new KillSwitch());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long residentKib() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.VariantSpec;
import dev.tintype.edge.vips.KillSwitch;
import dev.tintype.edge.vips.Transcoder;
import dev.tintype.edge.vips.VipsLibrary;
import dev.tintype.node.NodeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * One conversion at a time, ours and sharp's, on one thread of libvips each. Like against like: the
 * edge over HTTP, a new original every time so that nothing can be cached, against sharp behind
 * node's HTTP server on the same originals; and both called directly, with the file in memory.
 */
final class Misses {
  private static final int WIDTH = 512;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final double NS_PER_MS = 1e6;
  private static final long REST_MS = 5;
  private static final long SEED = 5;

  /** The formats of the bar. */
  static final List<ImageFormat> FORMATS =
      List.of(ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF);

  private final EdgeProcess edge;
  private final Sharp sharp;
  private final HttpClient client;
  private final Transcoder transcoder;
  private final EdgeConfig.Encoder encoder = EdgeConfig.Encoder.defaults();
  private final byte[] png;
  private final List<String> copies;
  private final List<Way> order = new ArrayList<>(List.of(Way.values()));
  private final Random chance = new Random(SEED);
  private int used;

  private enum Way {
    EDGE_HTTP,
    SHARP_HTTP,
    EDGE,
    SHARP
  }

  private record Round(
      long httpNs, long sharpHttpNs, long directNs, long sharpNs, int bytes, int sharpBytes) {}

  /** One format; times are medians in ms. */
  record Row(
      ImageFormat format,
      double httpMs,
      double sharpHttpMs,
      double httpRatio,
      double directMs,
      double sharpMs,
      double directRatio,
      int bytes,
      int sharpBytes) {
    void into(ObjectNode json) {
      json.put("http_ms", Numbers.short3(httpMs))
          .put("sharp_http_ms", Numbers.short3(sharpHttpMs))
          .put("http_ratio", Numbers.short3(httpRatio))
          .put("direct_ms", Numbers.short3(directMs))
          .put("sharp_direct_ms", Numbers.short3(sharpMs))
          .put("direct_ratio", Numbers.short3(directRatio))
          .put("bytes", bytes)
          .put("sharp_bytes", sharpBytes);
    }
  }

  /**
   * Between the edge and sharp.
   *
   * @param copies originals with the same pixels, each used once
   */
  Misses(EdgeProcess edge, Sharp sharp, HttpClient client, byte[] png, List<String> copies) {
    this.edge = edge;
    this.sharp = sharp;
    this.client = client;
    this.png = png;
    this.copies = copies;
    transcoder =
        switch (VipsLibrary.load(Optional.empty())) {
          case VipsLibrary.Ready ready ->
              new Transcoder(ready, encoder, EdgeConfig.Limits.defaults());
          case VipsLibrary.Unavailable(String reason) ->
              throw new NodeException.Start("bench.missing", reason);
        };
  }

  /** How many copies a measurement uses. */
  static int copiesFor(int rounds, int warmUps) {
    return rounds + warmUps;
  }

  /**
   * Cheap conversions of a small original, so that the compiled code of neither server is measured
   * before it is there; and the same called directly.
   *
   * @param side of the small original, px; no conversion is larger
   * @param count of each server, at most the square of the side
   */
  void warmUp(String small, byte[] smallPng, int side, int count)
      throws IOException, InterruptedException {
    for (int i = 0; i < count; i++) {
      ImageFormat format = FORMATS.get(i % FORMATS.size());
      int width = 1 + i % side;
      Operations size = Operations.none().width(width).height(1 + i / side);
      direct(smallPng, size, format);
      get(edge.origin() + EdgeProcess.urls().variant(small, size, format), Optional.of("fwd=miss"));
      get(sharp.url(format, width, encoder.quality(format), small), Optional.empty());
    }
  }

  /** Measures all formats, a round of each in turn. */
  List<Row> measure(int rounds, int warmUps) throws IOException, InterruptedException {
    Map<ImageFormat, List<Round>> all = new EnumMap<>(ImageFormat.class);
    for (int i = 0; i < rounds + warmUps; i++) {
      String sha256 = copies.get(used++);
      for (ImageFormat format : FORMATS) {
        Round round = round(sha256, format);
        if (i >= warmUps) {
          all.computeIfAbsent(format, each -> new ArrayList<>()).add(round);
        }
      }
    }
    return FORMATS.stream().map(format -> row(format, all.get(format))).toList();
  }

  /**
   * The four in an order of chance, with a rest before each: what one of them does after its answer
   * (storing, collecting garbage) is not in the time of the next.
   */
  private Round round(String sha256, ImageFormat format) throws IOException, InterruptedException {
    long httpNs = 0;
    long sharpHttpNs = 0;
    long directNs = 0;
    Sharp.Made made = null;
    int bytes = 0;
    Collections.shuffle(order, chance);
    for (Way way : order) {
      Thread.sleep(REST_MS);
      switch (way) {
        case EDGE_HTTP -> httpNs = edgeHttp(sha256, format);
        case SHARP_HTTP ->
            sharpHttpNs =
                get(sharp.url(format, WIDTH, encoder.quality(format), sha256), Optional.empty());
        case EDGE -> {
          long start = System.nanoTime();
          bytes = direct(png, Operations.none().width(WIDTH), format);
          directNs = System.nanoTime() - start;
        }
        case SHARP -> made = sharp.make(format, WIDTH, encoder.quality(format));
      }
    }
    return new Round(httpNs, sharpHttpNs, directNs, made.ns(), bytes, made.bytes());
  }

  private long edgeHttp(String sha256, ImageFormat format)
      throws IOException, InterruptedException {
    String path = EdgeProcess.urls().variant(sha256, Operations.none().width(WIDTH), format);
    return get(edge.origin() + path, Optional.of("fwd=miss"));
  }

  /** Time from the request to the last byte, ns. */
  private long get(String url, Optional<String> cacheStatus)
      throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(PATIENCE).build();
    long start = System.nanoTime();
    HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    long ns = System.nanoTime() - start;
    String status = response.headers().firstValue("Cache-Status").orElse("");
    if (response.statusCode() != 200 || !cacheStatus.map(status::contains).orElse(true)) {
      throw new NodeException.Start(
          "bench.program", url + " is no miss: " + response.statusCode() + " " + status);
    }
    return ns;
  }

  private int direct(byte[] png, Operations size, ImageFormat format) throws IOException {
    VariantSpec spec =
        size.resolve(format, EdgeConfig.Limits.defaults().sidePxMax(), encoder::quality);
    return transcoder.transcode(new OriginalImage.InMemory(png), spec, new KillSwitch()).length;
  }

  private static Row row(ImageFormat format, List<Round> rounds) {
    return new Row(
        format,
        Medians.of(rounds, round -> round.httpNs / NS_PER_MS),
        Medians.of(rounds, round -> round.sharpHttpNs / NS_PER_MS),
        Medians.of(rounds, round -> (double) round.sharpHttpNs / round.httpNs),
        Medians.of(rounds, round -> round.directNs / NS_PER_MS),
        Medians.of(rounds, round -> round.sharpNs / NS_PER_MS),
        Medians.of(rounds, round -> (double) round.sharpNs / round.directNs),
        rounds.getFirst().bytes,
        rounds.getFirst().sharpBytes);
  }
}

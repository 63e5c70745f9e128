package dev.tintype.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.ImageRequest;
import dev.tintype.edge.vips.Loaded;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Paths and headers that nobody would write: an answer with a right status, never 500, never a
 * silence. The requests go over a socket byte for byte, as no client library would let them.
 */
final class RequestFuzzTest {
  /** What the edge may say; 431 and some 400 come from the HTTP server below it. */
  private static final Set<Integer> RIGHT =
      Set.of(200, 206, 301, 304, 400, 403, 404, 405, 410, 412, 414, 415, 416, 431);

  private static final String TAG = "\"tag\"";

  private static final int PATIENCE_MS = 10_000;

  private static Path folder;
  private static EdgeServer edge;
  private static String sha;

  @BeforeContainer
  static void start() throws Exception {
    Loaded.vips();
    folder = Files.createTempDirectory("edge-fuzz");
    Path mark = Files.write(folder.resolve("mark.png"), Pictures.png(20, 10));
    EdgeConfig.Watermark watermark =
        new EdgeConfig.Watermark(Optional.empty(), Optional.of(mark), 50, 25, Set.of());
    edge =
        new EdgeServer(
            folder,
            config -> config.with(watermark).with(new EdgeConfig.Delivery(Set.of(), true)),
            originals -> originals);
    // Wide enough to be marked.
    sha = edge.put(Pictures.png(80, 60));
  }

  @AfterContainer
  static void stop() throws Exception {
    edge.close();
    try (var all = Files.walk(folder)) {
      for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  /** Any bytes but those that would end the line. */
  private static Arbitrary<String> junk(int max) {
    return Arbitraries.strings()
        .withCharRange('\1', '\u00ff')
        .excludeChars('\r', '\n', ' ')
        .ofMaxLength(max);
  }

  private static Arbitrary<String> operations() {
    return Arbitraries.oneOf(
            Arbitraries.of(
                "w:20",
                "h:9",
                "q:40",
                "fit:cover",
                "fit:contain",
                "g:smart",
                "g:southeast",
                "dpr:2",
                "bg:2060a0",
                "blur:2.5",
                "sharpen:1",
                "lossless",
                "progressive",
                "watermark",
                "keep",
                "strip",
                "tile",
                "og",
                "thumb",
                "card",
                "full",
                "orig",
                "exp:9999999999",
                "exp:1",
                "w:0",
                "w:99999999999",
                "q:",
                ":",
                "g:",
                "bg:12345g",
                "blur:0",
                "blur:1e9",
                "sharpen:11",
                "watermark:1",
                "fit:cover:x"),
            Arbitraries.strings().withChars("whqgbfitdprexplusra:.,0123456789-+%").ofMaxLength(10),
            junk(6))
        .list()
        .ofMinSize(1)
        .ofMaxSize(4)
        .map(all -> String.join(",", all));
  }

  /** Signed texts of all kinds, signed ones spoilt afterwards, and nothing of that. */
  @Provide
  Arbitrary<String> paths() {
    Arbitrary<String> file =
        Combinators.combine(
                Arbitraries.of("", sha, sha.toUpperCase(Locale.ROOT), "0".repeat(64)),
                Arbitraries.of(".webp", ".auto", ".jpg", ".png", ".avif", ".svg", "", ".", "/"))
            .as(String::concat);
    Arbitrary<String> signed =
        Combinators.combine(operations(), file)
            .as((operations, name) -> operations + "/" + name)
            .map(text -> "/i/" + EdgeServer.KEYS.sign("/i/" + text) + "/" + text);
    Arbitrary<String> spoilt =
        Combinators.combine(signed, Arbitraries.integers().between(0, 250), junk(3))
            .as(
                (path, at, more) -> {
                  int where = Math.min(at, path.length());
                  return path.substring(0, where) + more + path.substring(where);
                });
    return Arbitraries.frequencyOf(
        net.jqwik.api.Tuple.of(5, signed),
        net.jqwik.api.Tuple.of(3, spoilt),
        net.jqwik.api.Tuple.of(1, junk(40).map(text -> "/i/" + text)),
        net.jqwik.api.Tuple.of(1, signed.map(path -> path.replace(":", "%3a").replace("i", "%69"))),
        net.jqwik.api.Tuple.of(1, Arbitraries.just("/i/" + "a/".repeat(3000))));
  }

  /** Elements of If-None-Match; none has a comma in it. */
  @Provide
  Arbitrary<List<String>> tags() {
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(1, Arbitraries.of("*", TAG, "W/" + TAG)),
            net.jqwik.api.Tuple.of(
                3, Arbitraries.of("\"\"", "W/", "**", "w/" + TAG, TAG + "x", "tag", "\"Tag\"", "")),
            net.jqwik.api.Tuple.of(2, junk(12).map(each -> each.replace(',', ';').strip())))
        .list()
        .ofMaxSize(4);
  }

  @Provide
  Arbitrary<String> values() {
    return Arbitraries.oneOf(
        Arbitraries.of(
            "bytes=0-1",
            "bytes=-",
            "bytes=99999999999999999999-",
            "bytes=5-1",
            "bytes=-0",
            "bytes=0-0,1-1,2-2",
            "*",
            "\"\"",
            "W/",
            "W/\"",
            TAG,
            "\"other\", W/" + TAG,
            "image/avif,image/webp,*/*;q=0.8",
            "image/webp;q=0.9,image/png",
            "image/png,image/jpeg;q=0",
            "image/avif;q=NaN",
            "*/*;q=1e9",
            "image/webp;q=0.0000000001",
            ";;;,,,",
            "Thu, 99 Foo 0000",
            "on",
            "2.625",
            "4",
            "-1"),
        junk(30),
        Arbitraries.strings().withChars("bytes=0123456789-,; ").ofMaxLength(30),
        Arbitraries.just("image/avif,".repeat(1200)));
  }

  @Provide
  Arbitrary<List<String>> headers() {
    Arbitrary<String> names =
        Arbitraries.of(
            "Accept",
            "Range",
            "If-Range",
            "If-None-Match",
            "If-Match",
            "If-Modified-Since",
            "Sec-CH-DPR",
            "Save-Data",
            "Cookie",
            "Authorization",
            "X-Forwarded-For",
            "Cache-Control",
            "TE");
    return Combinators.combine(names, values())
        .as((name, value) -> name + ": " + value)
        .list()
        .ofMaxSize(4);
  }

  @Property(tries = 600, seed = "20261126")
  void everyRequestHasARightAnswer(
      @ForAll("paths") String path, @ForAll("headers") List<String> headers) throws Exception {
    String answer = send("GET " + path + " HTTP/1.1", headers);
    assertThat(answer).as("an answer to %.300s %s", path, headers).startsWith("HTTP/1.");
    int status = Integer.parseInt(answer.substring(9, 12));
    assertThat(RIGHT).as("%.300s %s: %s", path, headers, answer).contains(status);
    int end = answer.indexOf("\r\n\r\n");
    if (answer.substring(0, end).contains("problem+json")) {
      JsonObject problem = new JsonObject(answer.substring(end + 4));
      assertThat(problem.getInteger("status")).isEqualTo(status);
      assertThat(problem.getString("detail")).matches("[\\x20-\\x7e]+");
    }
  }

  private static String send(String line, List<String> headers) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), edge.port())) {
      socket.setSoTimeout(PATIENCE_MS);
      String request =
          line
              + "\r\nHost: localhost\r\nConnection: close\r\n"
              + headers.stream().map(header -> header + "\r\n").reduce("", String::concat)
              + "\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Property(tries = 2000, seed = "20261126")
  void aPathIsReadOrRefused(@ForAll("paths") String path) {
    ImageRequest request;
    try {
      request = ImageRequest.parse(EdgeServer.KEYS, path);
    } catch (EdgeException refused) {
      assertThat(refused.status()).isIn(400, 403);
      return;
    }
    // What is accepted leads to one canonical path, which is its own.
    ImageRequest again = ImageRequest.parse(EdgeServer.KEYS, request.canonicalPath());
    assertThat(again.canonical()).isTrue();
    assertThat(again.canonicalPath()).isEqualTo(request.canonicalPath());
    assertThat(again.sha256()).isEqualTo(request.sha256());
    assertThat(again.operations().canonical(again.format()))
        .isEqualTo(request.operations().canonical(request.format()));
  }

  @Provide
  Arbitrary<String> ranges() {
    return Arbitraries.oneOf(
        Arbitraries.strings().withChars("bytes=-0123456789, ").ofMaxLength(24),
        Combinators.combine(Arbitraries.longs().between(0, 40), Arbitraries.longs().between(0, 40))
            .as((first, last) -> "bytes=" + first + "-" + last),
        Arbitraries.longs().between(0, 40).map(length -> "bytes=-" + length));
  }

  @Property(tries = 2000, seed = "20261126")
  void aRangeLiesInsideOrIsNone(@ForAll("ranges") String header, @ForAll short any) {
    long size = any & 31;
    Optional<ByteRange> range;
    try {
      range = ByteRange.parse(header, size);
    } catch (EdgeException refused) {
      assertThat(refused.status()).isEqualTo(416);
      return;
    }
    range.ifPresent(
        part -> {
          assertThat(part.first()).isBetween(0L, part.last());
          assertThat(part.last()).isLessThan(size);
          assertThat(part.length()).isBetween(1L, size);
        });
  }

  @Property(tries = 2000, seed = "20261126")
  void anIfNoneMatchHitsItsTagsAndNoOther(@ForAll("tags") List<String> tags) {
    boolean hits =
        tags.stream()
            .anyMatch(each -> each.equals("*") || each.equals(TAG) || each.equals("W/" + TAG));
    for (String comma : new String[] {",", ", ", " , "}) {
      assertThat(EntityTags.noneMatchHits(String.join(comma, tags), TAG)).isEqualTo(hits);
    }
  }

  @Property(tries = 2000, seed = "20261126")
  void anyValueIsReadAsAnAcceptAndHits(@ForAll("values") String value) {
    boolean hits =
        Stream.of(value.split(","))
            .map(String::strip)
            .anyMatch(each -> each.equals("*") || each.equals(TAG) || each.equals("W/" + TAG));
    assertThat(EntityTags.noneMatchHits(value, TAG)).isEqualTo(hits);
    ImageFormat chosen = Negotiation.choose(value);
    // Nobody gets what they do not name, but for JPEG, which everybody reads.
    if (chosen != ImageFormat.JPEG) {
      assertThat(value.toLowerCase(Locale.ROOT)).contains(chosen.mediaType());
    }
  }
}

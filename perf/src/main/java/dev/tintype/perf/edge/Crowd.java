package dev.tintype.perf.edge;

import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.node.NodeException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * Many clients, each on a connection of its own, ask at once for a variant that nobody has made
 * yet. How often it was encoded stands in the answers: only the one for which it was made says
 * {@code stored} (RFC 9211).
 *
 * @param clients how many
 * @param encodes answers for which something was encoded
 * @param collapsed answers that waited for another's encode
 * @param hits answers from the cache, to those who came after it
 * @param tookMs from the first question to the last answer, ms
 */
record Crowd(int clients, long encodes, long collapsed, long hits, double tookMs) {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  static Crowd ask(EdgeProcess edge, HttpClient client, String sha256, int clients) {
    String path =
        EdgeProcess.urls().variant(sha256, Operations.none().width(500), ImageFormat.AVIF);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(edge.origin() + path)).timeout(PATIENCE).build();
    long start = System.nanoTime();
    List<CompletableFuture<HttpResponse<byte[]>>> asked =
        IntStream.range(0, clients)
            .mapToObj(i -> client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()))
            .toList();
    List<HttpResponse<byte[]>> answers = asked.stream().map(CompletableFuture::join).toList();
    double tookMs = (System.nanoTime() - start) / 1e6;
    if (answers.stream().anyMatch(answer -> answer.statusCode() != 200)) {
      throw new NodeException.Start("bench.program", "Not every client got the picture.");
    }
    return new Crowd(
        clients,
        count(answers, "stored"),
        count(answers, "collapsed"),
        count(answers, "; hit"),
        tookMs);
  }

  private static long count(List<HttpResponse<byte[]>> answers, String word) {
    return answers.stream()
        .filter(answer -> answer.headers().firstValue("Cache-Status").orElse("").contains(word))
        .count();
  }
}

package dev.tintype.queue.webhook;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * One signed POST over HTTP/1.1 to somebody's URL. Written over a socket, so that the address which
 * was found to be public is the one that is connected to: a client that looks the host up again
 * could be given another. Follows no redirects and reads the status line alone. Thread-safe.
 */
public final class SignedPost {
  /** From the connection to the status. */
  public static final Duration DEADLINE = Duration.ofSeconds(10);

  private static final Duration LOOKUP_MAX = Duration.ofSeconds(5);

  private static final int CONNECT_MS_MAX = 5_000;
  private static final int STATUS_LINE_MAX = 1_024;

  /** What came of it. */
  public sealed interface Answer {
    /** Taken: 2xx. */
    record Taken() implements Answer {}

    /** 410: never send there again. */
    record Gone() implements Answer {}

    /**
     * To be tried again.
     *
     * @param why for the log, without the URL's path and query
     */
    record Failed(String why) implements Answer {}
  }

  private final WebhookSecret secret;
  private final boolean allowPrivate;
  private final Duration deadline;
  private final Clock clock;
  private final HostLookup hosts = new HostLookup(InetAddress::getAllByName, LOOKUP_MAX);

  /**
   * @param allowPrivate also calls addresses of this machine and of private networks
   */
  public SignedPost(WebhookSecret secret, boolean allowPrivate, Clock clock) {
    this(secret, allowPrivate, DEADLINE, clock);
  }

  SignedPost(WebhookSecret secret, boolean allowPrivate, Duration deadline, Clock clock) {
    this.secret = secret;
    this.allowPrivate = allowPrivate;
    this.deadline = deadline;
    this.clock = clock;
  }

  /**
   * Sends and waits for the answer.
   *
   * @param id the same in every try, so that the receiver can drop what it has already
   * @param body JSON
   */
  public Answer send(URI url, String id, String body) {
    try {
      Optional<InetAddress> address = address(url);
      if (address.isEmpty()) {
        return new Answer.Failed(
            "its host has addresses of this machine or of a private network (see"
                + " webhooks.allow_private)");
      }
      return answer(send(url, address.get(), request(url, id, body)));
    } catch (UnknownHostException e) {
      return new Answer.Failed("its host is not known");
    } catch (IOException e) {
      return new Answer.Failed(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  private static Answer answer(int status) {
    if (status >= 200 && status < 300) {
      return new Answer.Taken();
    }
    return status == 410 ? new Answer.Gone() : new Answer.Failed("status " + status);
  }

  /** The first, where all are public: a host with one private address is suspect as a whole. */
  private Optional<InetAddress> address(URI url) throws IOException {
    List<InetAddress> all = hosts.all(url.getHost().replaceAll("^\\[|\\]$", ""));
    return allowPrivate || all.stream().allMatch(PublicAddresses::contains)
        ? Optional.of(all.getFirst())
        : Optional.empty();
  }

  private byte[] request(URI url, String id, String body) {
    long timestamp = clock.instant().getEpochSecond();
    String path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
    String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
    String port = url.getPort() < 0 ? "" : ":" + url.getPort();
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        String.join(
            "\r\n",
            "POST " + path + query + " HTTP/1.1",
            "Host: " + url.getHost() + port,
            "User-Agent: Tintype",
            "Content-Type: application/json",
            "Content-Length: " + bytes.length,
            "webhook-id: " + id,
            "webhook-timestamp: " + timestamp,
            "webhook-signature: " + secret.sign(id, timestamp, body),
            "Connection: close",
            "",
            "");
    byte[] start = head.getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[start.length + bytes.length];
    System.arraycopy(start, 0, all, 0, start.length);
    System.arraycopy(bytes, 0, all, start.length, bytes.length);
    return all;
  }

  private int send(URI url, InetAddress address, byte[] request) throws IOException {
    boolean secure = url.getScheme().equalsIgnoreCase("https");
    int port = url.getPort() > 0 ? url.getPort() : secure ? 443 : 80;
    try (Socket socket = new Socket()) {
      // Closing it under a blocked read is what bounds a receiver that drips.
      CompletableFuture<Void> late =
          new CompletableFuture<Void>()
              .completeOnTimeout(null, deadline.toMillis(), TimeUnit.MILLISECONDS);
      late.thenRun(() -> closeQuietly(socket));
      try {
        socket.connect(new InetSocketAddress(address, port), CONNECT_MS_MAX);
        socket.setSoTimeout((int) deadline.toMillis());
        Socket line = secure ? secured(socket, url.getHost(), port) : socket;
        OutputStream out = line.getOutputStream();
        out.write(request);
        out.flush();
        return status(new BufferedInputStream(line.getInputStream()));
      } catch (IOException e) {
        if (late.isDone()) {
          throw new IOException("no answer within " + deadline.toMillis() + " ms", e);
        }
        throw e;
      } finally {
        late.cancel(false);
      }
    }
  }

  private static Socket secured(Socket socket, String host, int port) throws IOException {
    SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    SSLSocket line = (SSLSocket) factory.createSocket(socket, host, port, true);
    SSLParameters parameters = line.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    line.setSSLParameters(parameters);
    line.startHandshake();
    return line;
  }

  private static int status(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n' && line.length() < STATUS_LINE_MAX; c = in.read()) {
      line.append((char) c);
    }
    String[] words = line.toString().strip().split(" ", 3);
    if (words.length < 2 || !words[0].startsWith("HTTP/1.") || !words[1].matches("\\d{3}")) {
      throw new IOException("what it answers is not HTTP/1");
    }
    return Integer.parseInt(words[1]);
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is given up anyway.
    }
  }
}

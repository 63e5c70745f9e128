package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Loaded;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is sent waits for its reader alone; and what is sent from the disk, as from memory. */
final class SlowClientsTest {
  private static final int STALLED = 24;
  private static final int RECEIVE_BYTES = 4096;
  private static final long PATIENCE_S = 60;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  /** One encoder, one reader, and nothing in memory. */
  private EdgeServer narrow() throws Exception {
    return new EdgeServer(
        folder,
        config -> {
          EdgeConfig.Encoder e = config.encoder();
          EdgeConfig.Limits l = config.limits();
          EdgeConfig.Cache c = config.cache();
          return config
              .with(
                  new EdgeConfig.Cache(
                      c.folder(),
                      c.diskBytesMax(),
                      0,
                      0,
                      c.verifyS(),
                      c.variants(),
                      c.storeKeepDays()))
              .with(new EdgeConfig.Encoder(1, 1, 80, 79, 50, 0, e.keepMetadata(), e.library()))
              .with(
                  new EdgeConfig.Limits(
                      l.originalBytesMax(),
                      l.originalPixelsMax(),
                      l.sidePxMax(),
                      l.encodeQueueMax(),
                      l.laterQueueMax(),
                      l.variantsPerOriginalMax(),
                      60_000,
                      1,
                      l.ioQueueMax(),
                      l.storeDeadlineMs(),
                      l.inFlightBytesMax(),
                      l.laterPercent()));
        },
        originals -> originals);
  }

  /** Noise, which no encoder makes smaller: some megabytes. */
  private static byte[] large() {
    BufferedImage image = new BufferedImage(1400, 1400, BufferedImage.TYPE_INT_RGB);
    SplittableRandom random = new SplittableRandom(1);
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        image.setRGB(x, y, random.nextInt());
      }
    }
    return Pictures.encode(image, "png");
  }

  /** A client that has read the first line of its answer, and nothing behind it. */
  private static Socket stalled(EdgeServer edge, String path) throws Exception {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(RECEIVE_BYTES);
    socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(PATIENCE_S));
    socket.connect(new InetSocketAddress("127.0.0.1", edge.port()));
    socket
        .getOutputStream()
        .write(
            ("GET " + path + " HTTP/1.1\r\nHost: edge\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1), 64);
    assertThat(lines.readLine()).isEqualTo("HTTP/1.1 200 OK");
    return socket;
  }

  @Test
  void clientsThatDoNotReadHoldNoEncoderAndNoReader() throws Exception {
    List<Socket> sockets = new ArrayList<>();
    try (EdgeServer edge = narrow()) {
      String large = edge.put(large());
      String small = edge.put(Pictures.png(64, 48));
      String variant = URLS.variant(large, Operations.none(), ImageFormat.PNG);
      String original = URLS.original(large, ImageFormat.PNG);
      for (int i = 0; i < STALLED; i++) {
        sockets.add(stalled(edge, i % 2 == 0 ? variant : original));
      }
      for (int width = 10; width < 20; width++) {
        String cold = URLS.variant(small, Operations.none().width(width), ImageFormat.WEBP);
        assertThat(edge.get(cold).statusCode()).isEqualTo(200);
      }
      assertThat(edge.routes.encodes()).as("the large one once").isEqualTo(11);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void whatIsOnTheDiskIsSentInPartsToo() throws Exception {
    try (EdgeServer edge = narrow()) {
      String sha256 = edge.put(Pictures.png(200, 100));
      String path = URLS.variant(sha256, Operations.none().width(90), ImageFormat.JPEG);
      byte[] whole = edge.get(path).body();
      HttpResponse<byte[]> disk = edge.get(path);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      while (!disk.headers().firstValue("cache-status").orElse("").endsWith("detail=disk")) {
        assertThat(System.nanoTime()).as("in time").isLessThan(end);
        disk = edge.get(path);
      }
      assertThat(disk.body()).isEqualTo(whole);
      String etag = disk.headers().firstValue("etag").orElseThrow();
      HttpResponse<byte[]> part = edge.get(path, "Range", "bytes=3-9", "If-Range", etag);
      assertThat(part.statusCode()).isEqualTo(206);
      assertThat(part.body()).isEqualTo(Arrays.copyOfRange(whole, 3, 10));
      assertThat(part.headers().firstValue("content-range")).contains("bytes 3-9/" + whole.length);
      HttpResponse<byte[]> other = edge.get(path, "Range", "bytes=3-9", "If-Range", "\"other\"");
      assertThat(other.statusCode()).isEqualTo(200);
      assertThat(edge.get(path, "Range", "bytes=999999-").statusCode()).isEqualTo(416);
      assertThat(edge.head(path).headers().firstValueAsLong("content-length"))
          .hasValue(whole.length);
    }
  }
}

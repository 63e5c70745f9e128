package dev.tintype.perf.edge;

import dev.tintype.node.NodeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * nginx that serves files as fast as it can: as many workers as cores, open files kept, no log,
 * connections kept for as long as the client wants. It listens twice, with sendfile and without,
 * because small files are quicker without; the edge is held against the better of the two.
 */
final class Nginx implements AutoCloseable {
  private static final int START_S_MAX = 10;
  private static final int PROBE_MS = 10;
  private static final String CONFIG =
      """
      daemon off;
      worker_processes %d;
      pid %s/nginx.pid;
      error_log %s/error.log warn;
      events { worker_connections 4096; multi_accept on; }
      http {
        access_log off;
        tcp_nodelay on;
        keepalive_timeout 120s;
        keepalive_requests 1000000000;
        open_file_cache max=10000 inactive=600s;
        open_file_cache_valid 600s;
        client_body_temp_path %s/body;
        proxy_temp_path %s/proxy;
        fastcgi_temp_path %s/fastcgi;
        uwsgi_temp_path %s/uwsgi;
        scgi_temp_path %s/scgi;
        types { image/webp webp; image/avif avif; image/jpeg jpeg jpg; image/png png; }
        root %s/files;
        add_header Cache-Control "public, max-age=31536000, immutable";
        server { listen 127.0.0.1:%d reuseport; sendfile on; tcp_nopush on; }
        server { listen 127.0.0.1:%d reuseport; sendfile off; }
      }
      """;

  private final Process process;
  private final int sendfilePort;
  private final int plainPort;

  private Nginx(Process process, int sendfilePort, int plainPort) {
    this.process = process;
    this.sendfilePort = sendfilePort;
    this.plainPort = plainPort;
  }

  /**
   * Starts.
   *
   * @param folder its own; {@code files} below it is what it serves
   */
  static Nginx start(Path folder, int workers) throws IOException {
    int sendfilePort = freePort();
    int plainPort = freePort();
    Path config = folder.resolve("nginx.conf");
    Files.writeString(
        config,
        CONFIG.formatted(
            workers,
            folder,
            folder,
            folder,
            folder,
            folder,
            folder,
            folder,
            folder,
            sendfilePort,
            plainPort));
    // Workers that nginx as root would run as another user could not enter a private folder.
    String user = System.getProperty("user.name");
    Process process =
        new ProcessBuilder(
                List.of(
                    Programs.find("nginx").orElseThrow().toString(),
                    "-p",
                    folder.toString(),
                    "-c",
                    config.toString(),
                    "-g",
                    user.equals("root") ? "user root;" : ""))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("nginx.out").toFile())
            .start();
    Nginx nginx = new Nginx(process, sendfilePort, plainPort);
    if (!nginx.answers()) {
      nginx.close();
      throw new NodeException.Start(
          "bench.program",
          "nginx did not start: " + Files.readString(folder.resolve("nginx.out")).strip());
    }
    return nginx;
  }

  /** Tries until it listens; between two tries it waits for the process to end. */
  private boolean answers() {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_S_MAX);
    try {
      while (System.nanoTime() < until && !process.waitFor(PROBE_MS, TimeUnit.MILLISECONDS)) {
        try (Socket probe = new Socket()) {
          probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), plainPort), 1000);
          return true;
        } catch (IOException e) {
          // Not yet.
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  /** The two ways it serves. */
  List<String> origins() {
    return List.of("http://127.0.0.1:" + sendfilePort, "http://127.0.0.1:" + plainPort);
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  @Override
  public void close() {
    Programs.stop(process);
  }
}

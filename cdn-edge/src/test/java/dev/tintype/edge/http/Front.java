package dev.tintype.edge.http;

import dev.tintype.edge.Tools;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A cache of another maker between the client and the edge, with the configuration that we ship,
 * changed only where it tells the reader to change it.
 *
 * @param name for messages
 * @param process null for the edge itself
 * @param port where it answers
 */
record Front(String name, Process process, int port) implements AutoCloseable {
  private static final Path CONFIGURATIONS = Path.of("src/main/caches");
  private static final int START_S_MAX = 20;

  /** Nothing in between. */
  static Front none(int edgePort) {
    return new Front("edge", null, edgePort);
  }

  static Front nginx(Path folder, int edgePort) throws Exception {
    Path program = Tools.need("nginx", "nginx-light");
    int port = freePort();
    String shipped =
        Files.readString(CONFIGURATIONS.resolve("nginx.conf"))
            .replace("server 127.0.0.1:8080;", "server 127.0.0.1:" + edgePort + ";")
            .replace("/var/cache/nginx/tintype", folder.resolve("cache").toString())
            .replace("listen 80;", "listen 127.0.0.1:" + port + ";");
    Path include = Files.writeString(folder.resolve("tintype.conf"), shipped);
    String user = System.getProperty("user.name").equals("root") ? "user root;\n" : "";
    String main =
        user
            + "daemon off;\nworker_processes 1;\npid "
            + folder.resolve("pid")
            + ";\nerror_log "
            + folder.resolve("error.log")
            + ";\nevents {}\nhttp {\naccess_log off;\n"
            + Stream.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
                .map(kind -> kind + "_temp_path " + folder.resolve(kind) + ";\n")
                .reduce("", String::concat)
            + "include "
            + include
            + ";\n}\n";
    Path config = Files.writeString(folder.resolve("main.conf"), main);
    return started(
        "nginx",
        folder,
        port,
        List.of(program.toString(), "-p", folder.toString(), "-c", config.toString()));
  }

  static Front varnish(Path folder, int edgePort) throws Exception {
    Path program = Tools.need("varnishd", "varnish");
    int port = freePort();
    String shipped =
        Files.readString(CONFIGURATIONS.resolve("varnish.vcl"))
            .replace(".port = \"8080\"", ".port = \"" + edgePort + "\"");
    Path vcl = Files.writeString(folder.resolve("tintype.vcl"), shipped);
    return started(
        "varnish",
        folder,
        port,
        List.of(
            program.toString(),
            "-F",
            "-a",
            "127.0.0.1:" + port,
            "-f",
            vcl.toString(),
            "-n",
            folder.resolve("n").toString(),
            "-s",
            "malloc,32m",
            "-j",
            "none"));
  }

  private static Front started(String name, Path folder, int port, List<String> command)
      throws Exception {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    Front front = new Front(name, process, port);
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_S_MAX);
    while (System.nanoTime() < until && !process.waitFor(10, TimeUnit.MILLISECONDS)) {
      try (Socket probe = new Socket()) {
        probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
        return front;
      } catch (IOException e) {
        // Not yet.
      }
    }
    front.close();
    throw new AssertionError(name + " did not start: " + Files.readString(output));
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  @Override
  public void close() throws Exception {
    if (process != null) {
      List<ProcessHandle> children = process.descendants().toList();
      process.destroy();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        children.forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    }
  }

  @Override
  public String toString() {
    return name;
  }
}

package dev.tintype.servers;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Redis 6.2 from the jar of embedded-redis. It keeps nothing on the disk: what it has may be lost.
 */
public final class RedisServer {
  private static final String BINARY = "/redis-server-6.2.6-v5-linux-amd64";

  private RedisServer() {}

  /**
   * @param maxMemoryMb beyond it the least recently used goes first
   */
  public static ChildProcess of(String name, Path folder, int port, int maxMemoryMb) {
    return of(name, folder, port, maxMemoryMb, "");
  }

  /**
   * @param password that clients must give; empty: none
   */
  public static ChildProcess of(
      String name, Path folder, int port, int maxMemoryMb, String password) {
    return new ChildProcess(
        name,
        folder,
        List.of(
            binary(folder).toString(),
            "--bind",
            "127.0.0.1",
            "--port",
            Integer.toString(port),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            folder.toAbsolutePath().toString(),
            "--maxmemory",
            maxMemoryMb + "mb",
            "--maxmemory-policy",
            "allkeys-lru",
            "--requirepass",
            password),
        Map.of(),
        () -> ping(port),
        Duration.ofSeconds(30));
  }

  private static Path binary(Path folder) {
    Path file = folder.resolve("redis-server");
    try (InputStream in = RedisServer.class.getResourceAsStream(BINARY)) {
      if (in == null) {
        throw new ServerException(
            "The Redis of embedded-redis runs on Linux x86_64 only; install another.", null);
      }
      Files.createDirectories(folder);
      if (!Files.isExecutable(file)) {
        Path fresh = folder.resolve("redis-server.new");
        Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
        if (!fresh.toFile().setExecutable(true)) {
          throw new IOException(fresh + " cannot be made executable");
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      }
      return file.toAbsolutePath();
    } catch (IOException e) {
      throw new ServerException("Redis cannot be unpacked: " + e.getMessage(), e);
    }
  }

  private static boolean ping(int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), Readiness.TIMEOUT_MS);
      socket.setSoTimeout(Readiness.TIMEOUT_MS);
      socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readNBytes(5);
      String word = new String(answer, StandardCharsets.US_ASCII);
      return word.equals("+PONG") || word.equals("-NOAU");
    }
  }
}

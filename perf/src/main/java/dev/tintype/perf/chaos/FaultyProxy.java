package dev.tintype.perf.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy on 127.0.0.1 that misbehaves on demand. Its own port never changes, so that a target
 * may come back on another one. Of several targets each new connection takes the next that accepts,
 * as a load balancer does.
 */
final class FaultyProxy implements AutoCloseable {
  /** How the line behaves. */
  enum Line {
    /** As if it were not there. */
    CLEAR,
    /** Each piece is held back for 100 ms. */
    SLOW,
    /** 32 KB/s in each direction. */
    NARROW,
    /** Connections stay open and nothing gets through: neither side is told. */
    SILENT,
    /** What is open is reset, and new connections are reset at once. */
    RESET
  }

  private static final int BUFFER_BYTES = 8 * 1024;
  private static final long SLOW_NS = 100_000_000;
  private static final long NARROW_NS_PER_BYTE = 1_000_000_000L / (32 * 1024);
  private static final int CONNECT_MS_MAX = 2_000;

  /** How often a silent line looks whether it is clear again. */
  private static final long LOOK_NS = 20_000_000;

  private final String name;
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger turn = new AtomicInteger();
  private volatile int[] targets = {};
  private volatile Line line = Line.CLEAR;
  private volatile boolean closed;

  /** Accepts from now on; resets everybody until there is a target. */
  FaultyProxy(String name) {
    this.name = name;
    try {
      listener = new ServerSocket(0, 256, InetAddress.getByName("127.0.0.1"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().name("chaos-proxy-" + name).start(this::accept);
  }

  String name() {
    return name;
  }

  int port() {
    return listener.getLocalPort();
  }

  /**
   * @param ports of 127.0.0.1
   */
  void to(int... ports) {
    targets = ports.clone();
  }

  /** From now on, for open and new connections. */
  void set(Line next) {
    line = next;
    if (next == Line.RESET) {
      sockets.forEach(FaultyProxy::reset);
    }
  }

  private void accept() {
    while (!closed) {
      try {
        Socket client = listener.accept();
        sockets.add(client);
        Thread.ofVirtual().start(() -> connect(client));
      } catch (IOException e) {
        if (!closed) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void connect(Socket client) {
    int[] ports = targets;
    int first = turn.getAndIncrement();
    for (int i = 0; i < ports.length && line != Line.RESET; i++) {
      if (joined(client, ports[Math.floorMod(first + i, ports.length)])) {
        return;
      }
    }
    end(client);
  }

  private boolean joined(Socket client, int port) {
    Socket server = new Socket();
    sockets.add(server);
    try {
      server.connect(new InetSocketAddress("127.0.0.1", port), CONNECT_MS_MAX);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
    } catch (IOException e) {
      end(server);
      return false;
    }
    Thread.ofVirtual().start(() -> pump(client, server));
    Thread.ofVirtual().start(() -> pump(server, client));
    return true;
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        hold(n, from);
        out.write(buffer, 0, n);
      }
      // A silent line does not tell about an end either.
      hold(0, from);
      to.shutdownOutput();
    } catch (IOException e) {
      end(from);
      end(to);
    } finally {
      if (from.isInputShutdown() || to.isOutputShutdown()) {
        closeIfDone(from, to);
      }
    }
  }

  private void hold(int bytes, Socket socket) {
    switch (line) {
      case SLOW -> LockSupport.parkNanos(SLOW_NS);
      case NARROW -> LockSupport.parkNanos(bytes * NARROW_NS_PER_BYTE);
      case CLEAR, SILENT, RESET -> {}
    }
    while (line == Line.SILENT && !closed && !socket.isClosed()) {
      LockSupport.parkNanos(LOOK_NS);
    }
  }

  /** Both directions have ended: the second one cleans up. */
  private void closeIfDone(Socket from, Socket to) {
    if (from.isOutputShutdown() || from.isClosed()) {
      end(from);
      end(to);
    }
  }

  private void end(Socket socket) {
    sockets.remove(socket);
    reset(socket);
  }

  /** Closes with RST instead of FIN where the line says so. */
  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      // It was gone already.
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    sockets.forEach(FaultyProxy::reset);
  }
}

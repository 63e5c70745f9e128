package dev.tintype.servers;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;

/** Whether a server answers now. */
@FunctionalInterface
public interface Readiness {
  int TIMEOUT_MS = 2_000;

  /** False or an exception: not yet. */
  boolean answers() throws IOException;

  /** Somebody listens on that port of 127.0.0.1. */
  static Readiness port(int port) {
    return () -> {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
        return true;
      }
    };
  }

  /** A GET is answered, with a status below 500. */
  static Readiness http(String url) {
    return () -> {
      HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
      connection.setConnectTimeout(TIMEOUT_MS);
      connection.setReadTimeout(TIMEOUT_MS);
      try {
        return connection.getResponseCode() < 500;
      } finally {
        connection.disconnect();
      }
    };
  }
}

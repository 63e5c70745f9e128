package dev.tintype.gateway.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** Bytes over TCP, for what no proper client would send. */
public final class RawSocket {
  private static final int READ_MS = 5_000;

  private RawSocket() {}

  /**
   * Sends the text (ISO 8859-1) and returns what comes back until the server closes; empty when it
   * just hangs up.
   */
  public static String exchange(int port, String text) {
    return exchange(port, text, false);
  }

  /**
   * @param finish whether the client says that it will send no more
   */
  public static String exchange(int port, String text, boolean finish) {
    try (Socket socket = new Socket()) {
      socket.setSoTimeout(READ_MS);
      socket.connect(new InetSocketAddress("127.0.0.1", port), READ_MS);
      StringBuilder answer = new StringBuilder();
      try {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        if (finish) {
          socket.shutdownOutput();
        }
        byte[] buffer = new byte[8_192];
        for (int n = socket.getInputStream().read(buffer);
            n >= 0;
            n = socket.getInputStream().read(buffer)) {
          answer.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
        }
      } catch (SocketException hungUp) {
        return answer.toString();
      } catch (SocketTimeoutException silent) {
        throw new IllegalStateException(
            "no end of the answer within " + READ_MS + " ms: " + text, silent);
      }
      return answer.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

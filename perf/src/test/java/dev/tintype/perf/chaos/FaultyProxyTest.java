package dev.tintype.perf.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.perf.chaos.FaultyProxy.Line;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class FaultyProxyTest {
  private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);

  private ServerSocket echo;
  private FaultyProxy proxy;

  @BeforeEach
  void open() throws IOException {
    echo = new ServerSocket(0, 10, InetAddress.getByName("127.0.0.1"));
    Thread.ofVirtual().start(this::answer);
    proxy = new FaultyProxy("test");
    proxy.to(echo.getLocalPort());
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
    echo.close();
  }

  private void answer() {
    while (!echo.isClosed()) {
      try {
        Socket socket = echo.accept();
        Thread.ofVirtual()
            .start(
                () -> {
                  try (socket) {
                    socket.getInputStream().transferTo(socket.getOutputStream());
                  } catch (IOException e) {
                    // The proxy reset it, as it was told to.
                  }
                });
      } catch (IOException e) {
        return;
      }
    }
  }

  private Socket connect() throws IOException {
    return new Socket("127.0.0.1", proxy.port());
  }

  private static byte[] ask(Socket socket) throws IOException {
    socket.getOutputStream().write(HELLO);
    return socket.getInputStream().readNBytes(HELLO.length);
  }

  @Test
  void aClearLinePassesEverythingAndTheEnd() throws IOException {
    try (Socket socket = connect()) {
      assertThat(ask(socket)).isEqualTo(HELLO);
      socket.shutdownOutput();
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void slowAndNarrowLinesPassEverything() throws IOException {
    for (Line line : new Line[] {Line.SLOW, Line.NARROW}) {
      proxy.set(line);
      try (Socket socket = connect()) {
        assertThat(ask(socket)).isEqualTo(HELLO);
      }
    }
  }

  @Test
  void aSilentLineStaysOpenAndDeliversLater() throws IOException {
    try (Socket socket = connect()) {
      assertThat(ask(socket)).isEqualTo(HELLO);
      proxy.set(Line.SILENT);
      socket.getOutputStream().write(HELLO);
      socket.setSoTimeout(200);
      assertThatThrownBy(() -> socket.getInputStream().read())
          .isInstanceOf(SocketTimeoutException.class);
      socket.setSoTimeout(0);
      proxy.set(Line.CLEAR);
      assertThat(socket.getInputStream().readNBytes(HELLO.length)).isEqualTo(HELLO);
    }
  }

  @Test
  void aResetLineEndsWhatIsOpenAndWhatIsNew() throws IOException {
    try (Socket socket = connect()) {
      assertThat(ask(socket)).isEqualTo(HELLO);
      proxy.set(Line.RESET);
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(
            () -> {
              try (Socket socket = connect()) {
                if (ask(socket).length == 0) {
                  throw new IOException("ended");
                }
              }
            })
        .isInstanceOf(IOException.class);
  }
}

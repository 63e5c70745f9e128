package dev.tintype.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On a real line. */
@Timeout(60)
class SilenceLimitTest {
  @Test
  void aSilentLineEnds() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket peer = server.accept();
        InputStream body = new SilenceLimit(client.getInputStream(), Duration.ofMillis(300))) {
      peer.getOutputStream().write('a');
      assertThat(body.read()).isEqualTo('a');
      assertThatThrownBy(body::read)
          .isInstanceOf(IOException.class)
          .hasMessage("nothing was heard for 300 ms");
    }
  }
}

package dev.tintype.queue.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HostLookupTest {
  private final CountDownLatch over = new CountDownLatch(1);

  /** A resolver whose server never answers for some hosts. */
  private InetAddress[] resolve(String host) throws UnknownHostException {
    if (host.startsWith("silent")) {
      try {
        over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return InetAddress.getAllByName(host);
  }

  @Test
  void aHostWhoseServerIsSilentIsGivenUpAndOthersAreFound() throws Exception {
    HostLookup lookup = new HostLookup(this::resolve, Duration.ofMillis(20));
    for (int i = 0; i < HostLookup.MOST; i++) {
      String host = "silent" + i;
      assertThatThrownBy(() -> lookup.all(host))
          .isInstanceOf(IOException.class)
          .hasMessage("its host was not found within 20 ms");
    }
    assertThatThrownBy(() -> lookup.all("127.0.0.1"))
        .isInstanceOf(IOException.class)
        .hasMessage(HostLookup.MOST + " look-ups of hosts are under way");
    over.countDown();
    HostLookup patient = new HostLookup(this::resolve, Duration.ofSeconds(60));
    assertThat(patient.all("127.0.0.1")).containsExactly(InetAddress.ofLiteral("127.0.0.1"));
  }

  @Test
  void anUnknownHostIsCalledUnknown() {
    HostLookup lookup =
        new HostLookup(
            host -> {
              throw new UnknownHostException(host);
            },
            Duration.ofSeconds(60));
    assertThatThrownBy(() -> lookup.all("nowhere")).isInstanceOf(UnknownHostException.class);
  }
}

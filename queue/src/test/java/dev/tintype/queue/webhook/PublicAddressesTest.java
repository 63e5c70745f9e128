package dev.tintype.queue.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PublicAddressesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "3fff::1"
      })
  void specialAddressesAreRefused(String literal) {
    assertThat(PublicAddresses.contains(InetAddress.ofLiteral(literal))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.0.0.1", "128.0.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "192.169.0.1",
        "198.17.0.1", "198.20.0.1", "223.255.255.255", "2600::1", "2a00:1450::1", "2001:4860::1"
      })
  void othersAreAnybodys(String literal) {
    assertThat(PublicAddresses.contains(InetAddress.ofLiteral(literal))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:pw@example.com/",
        "https://example.com/#here",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://ex\u00e4mple.com/",
        "//example.com/",
        "mailto:a@example.com"
      })
  void whatIsNoUrlToCallIsRefused(String url) {
    assertThatThrownBy(() -> WebhookUrl.check(url))
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("webhook.url"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost/",
        "http://127.0.0.1:80/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://0.0.0.0/"
      })
  void whatPlainlyLeadsInsideIsRefusedWithTheJob(String url) {
    assertThatThrownBy(() -> new WebhookPolicy(true, false).check(url))
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("webhook.private"));
    new WebhookPolicy(true, true).check(url);
  }
}

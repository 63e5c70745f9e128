package dev.tintype.node.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.node.http.TestCertificates;
import dev.tintype.node.http.TlsConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsCheckTest {
  @TempDir Path folder;

  @Test
  void saysWhatIsWrongWithACertificate() throws Exception {
    TlsConfig tls = TestCertificates.make(folder, "server"); // For 30 days.
    Instant now = Instant.now().plusSeconds(60);
    Optional<String> covered = Optional.of("https://eu.pictures.example:8443");
    assertThat(finding(tls, covered, now).verdict()).isEqualTo(Finding.Verdict.OK);
    assertThat(finding(tls, Optional.of("https://elsewhere.example"), now).advice())
        .contains("elsewhere.example");
    assertThat(finding(tls, covered, now.plus(Duration.ofDays(20))).advice()).contains("soon");
    Finding expired = finding(tls, covered, now.plus(Duration.ofDays(31)));
    assertThat(expired.verdict()).isEqualTo(Finding.Verdict.MISSING);
    assertThat(expired.advice()).contains("expired");
    TlsConfig other = TestCertificates.make(folder, "other");
    Finding mismatch = finding(new TlsConfig(tls.cert(), other.key(), Duration.ZERO), covered, now);
    assertThat(mismatch.verdict()).isEqualTo(Finding.Verdict.MISSING);
    assertThat(mismatch.found()).contains("tls.mismatch");
    TlsConfig nameless =
        TestCertificates.make(folder, "nameless", "-keyalg", "EC", "-ext", "san=email:a@b.example");
    assertThat(finding(nameless, covered, now).advice()).contains("names no host");
  }

  private static Finding finding(TlsConfig tls, Optional<String> publicUrl, Instant now) {
    return new TlsCheck(tls, publicUrl).finding(now);
  }
}

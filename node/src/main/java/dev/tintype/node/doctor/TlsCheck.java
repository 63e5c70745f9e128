package dev.tintype.node.doctor;

import dev.tintype.node.NodeException;
import dev.tintype.node.http.Certificate;
import dev.tintype.node.http.TlsConfig;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What is wrong with a server's certificate, or will be soon. */
final class TlsCheck {
  /** Renewals come a month before the end; two weeks are late. */
  private static final Duration SOON = Duration.ofDays(14);

  private static final String WHAT = "tls";

  private final TlsConfig tls;
  private final Optional<String> publicUrl;

  TlsCheck(TlsConfig tls, Optional<String> publicUrl) {
    this.tls = tls;
    this.publicUrl = publicUrl;
  }

  Finding finding(Instant now) {
    Certificate certificate;
    try {
      certificate = Certificate.read(tls);
    } catch (NodeException e) {
      return Finding.missing(WHAT, "[" + e.code() + "]", e.getMessage());
    }
    String found =
        tls.cert()
            + (certificate.names().isEmpty() ? "" : " for ")
            + String.join(", ", certificate.names())
            + ", valid until "
            + certificate.notAfter();
    Optional<String> invalid = certificate.invalidAt(now);
    if (invalid.isPresent()) {
      return Finding.missing(WHAT, found, invalid.get());
    }
    if (certificate.names().isEmpty()) {
      return Finding.missing(
          WHAT,
          found,
          "It names no host (subject alternative name), so that browsers refuse it; make another.");
    }
    Optional<String> host = publicUrl.map(URI::create).map(URI::getHost);
    if (host.isPresent() && !certificate.covers(host.get())) {
      return Finding.note(WHAT, found, "It is not for " + host.get() + " of public_url.");
    }
    return now.plus(SOON).isAfter(certificate.notAfter())
        ? Finding.note(WHAT, found, "It ends soon; renew it. A server reads it again by itself.")
        : Finding.ok(WHAT, found);
  }
}

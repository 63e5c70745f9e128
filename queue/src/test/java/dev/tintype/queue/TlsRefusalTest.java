package dev.tintype.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.security.auth.login.FailedLoginException;
import org.junit.jupiter.api.Test;

class TlsRefusalTest {
  private static Exception caused(Exception error, Throwable cause) {
    error.initCause(cause);
    return error;
  }

  @Test
  void aCertificateThatIsNotAcceptedIsOne() {
    Exception handshake =
        caused(new SSLHandshakeException("PKIX"), new CertificateException("no path"));
    assertThat(TlsRefusal.in(new IllegalStateException(handshake))).isTrue();
    assertThat(TlsRefusal.in(new SSLHandshakeException("bad_certificate"))).isTrue();
  }

  @Test
  void aPasswordThatIsNotAcceptedIsNone() {
    assertThat(TlsRefusal.in(new IllegalStateException(new FailedLoginException("wrong"))))
        .isFalse();
  }

  @Test
  void aLineThatBreaksDuringTheHandshakeIsNone() {
    assertThat(TlsRefusal.in(caused(new SSLHandshakeException("end"), new EOFException())))
        .isFalse();
    assertThat(TlsRefusal.in(new SSLException(new SocketException("Connection reset")))).isFalse();
    assertThat(TlsRefusal.in(new IOException(new ConnectException("refused")))).isFalse();
  }
}

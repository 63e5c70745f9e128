package dev.tintype.queue;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLException;

/** Tells a certificate or key that is not accepted from a line that broke during the handshake. */
public final class TlsRefusal {
  private static final int CAUSES_MAX = 20;

  private TlsRefusal() {}

  /** True where another try would end the same way: somebody has to correct something. */
  public static boolean in(Throwable error) {
    boolean tls = false;
    Throwable t = error;
    for (int i = 0; t != null && i < CAUSES_MAX; i++, t = t.getCause()) {
      if (t instanceof EOFException
          || t instanceof SocketException
          || t instanceof SocketTimeoutException
          || t instanceof ClosedChannelException) {
        return false;
      }
      tls |=
          t instanceof SSLException
              || t instanceof GeneralSecurityException
              || t instanceof FileNotFoundException
              || t instanceof FileSystemException;
    }
    return tls;
  }
}

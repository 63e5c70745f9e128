package dev.tintype.queue;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLException;
import javax.security.auth.login.LoginException;

/** Tells a certificate or key that is not accepted from a line that broke during the handshake. */
public final class TlsRefusal {
  private TlsRefusal() {}

  /** True where another try would end the same way: somebody has to correct something. */
  public static boolean in(Throwable error) {
    return Causes.of(error).noneMatch(TlsRefusal::broken)
        && Causes.of(error).anyMatch(TlsRefusal::refused);
  }

  private static boolean broken(Throwable t) {
    return t instanceof EOFException
        || t instanceof SocketException
        || t instanceof SocketTimeoutException
        || t instanceof ClosedChannelException;
  }

  private static boolean refused(Throwable t) {
    return t instanceof SSLException
        || t instanceof GeneralSecurityException && !(t instanceof LoginException)
        || t instanceof FileNotFoundException
        || t instanceof FileSystemException;
  }
}

package dev.tintype.node.http;

import dev.tintype.node.IoReason;
import dev.tintype.node.NodeException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.X509KeyManager;

/** A certificate with its key, read from two files and found to fit one another. */
public final class Certificate {
  /** How a certificate begins in PEM. */
  public static final String PEM = "-----BEGIN CERTIFICATE-----";

  private static final long FILE_BYTES_MAX = 1 << 20;

  /** Kinds of subject alternative names, RFC 5280, 4.2.1.6. */
  private static final List<Integer> NAME_KINDS = List.of(2, 7);

  private final byte[] certPem;
  private final byte[] keyPem;
  private final X509Certificate leaf;

  private Certificate(byte[] certPem, byte[] keyPem, X509Certificate leaf) {
    this.certPem = certPem;
    this.keyPem = keyPem;
    this.leaf = leaf;
  }

  /**
   * Reads both files.
   *
   * @throws NodeException.Config tls.cert, tls.key, tls.mismatch
   */
  public static Certificate read(TlsConfig config) {
    byte[] certPem = bytes("tls.cert", config.cert());
    byte[] keyPem = bytes("tls.key", config.key());
    X509Certificate leaf = leaf(config.cert(), certPem);
    if (new String(keyPem, StandardCharsets.ISO_8859_1).contains("ENCRYPTED")) {
      throw new NodeException.Config(
          "tls.key",
          config.key()
              + " has a password, which nobody types at a start; decrypt it: openssl pkey.");
    }
    Certificate read = new Certificate(certPem, keyPem, leaf);
    read.requireMatch(config);
    return read;
  }

  private static byte[] bytes(String code, Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new NodeException.Config(code, file + " is larger than 1 MiB.");
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new NodeException.Config(code, file + " cannot be read: " + IoReason.of(e) + ".");
    }
  }

  /** The first certificate of a PEM file. */
  static X509Certificate leaf(Path file) {
    return leaf(file, bytes("tls.cert", file));
  }

  private static X509Certificate leaf(Path file, byte[] pem) {
    try {
      if (new String(pem, StandardCharsets.ISO_8859_1).contains(PEM)) {
        return (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem));
      }
    } catch (CertificateException e) {
      // Refused below, like a file without any.
    }
    throw new NodeException.Config(
        "tls.cert", file + " has no certificate in PEM (" + PEM + ") that can be read.");
  }

  /** The key signs what the certificate verifies. */
  private void requireMatch(TlsConfig config) {
    try {
      X509KeyManager manager =
          (X509KeyManager) keyCert().getKeyManagerFactory(null).getKeyManagers()[0];
      PrivateKey key = manager.getPrivateKey(alias(manager));
      Signature signature = Signature.getInstance("SHA256with" + scheme(key));
      signature.initSign(key);
      signature.update(certPem);
      byte[] signed = signature.sign();
      signature.initVerify(leaf.getPublicKey());
      signature.update(certPem);
      if (signature.verify(signed)) {
        return;
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      // A key of another kind than the certificate's is refused where they are put together.
    } catch (Exception e) { // The parser declares no other.
      throw new NodeException.Config(
          "tls.key",
          config.key()
              + " is no private key in PEM, RSA or EC, that can be read: "
              + e.getMessage());
    }
    throw new NodeException.Config(
        "tls.mismatch",
        "The key in "
            + config.key()
            + " is not that of the certificate in "
            + config.cert()
            + ". Put those of one another there; the key's own certificate comes first in its"
            + " file.");
  }

  private static String alias(X509KeyManager manager) {
    return Stream.of("EC", "RSA")
        .map(kind -> manager.getServerAliases(kind, null))
        .filter(found -> found != null && found.length > 0)
        .map(found -> found[0])
        .findFirst()
        .orElseThrow(IllegalArgumentException::new);
  }

  private static String scheme(PrivateKey key) {
    return key.getAlgorithm().equals("EC") ? "ECDSA" : "RSA";
  }

  /** For the server. */
  public KeyCertOptions keyCert() {
    return new PemKeyCertOptions()
        .addCertValue(Buffer.buffer(certPem))
        .addKeyValue(Buffer.buffer(keyPem));
  }

  /** Whether the files say the same as when that one was read. */
  public boolean same(Certificate other) {
    return Arrays.equals(certPem, other.certPem) && Arrays.equals(keyPem, other.keyPem);
  }

  public Instant notBefore() {
    return leaf.getNotBefore().toInstant();
  }

  /** Until when it is valid. */
  public Instant notAfter() {
    return leaf.getNotAfter().toInstant();
  }

  /** Why browsers would refuse it at that time, or empty. */
  public Optional<String> invalidAt(Instant time) {
    if (time.isAfter(notAfter())) {
      return Optional.of("It expired at " + notAfter() + "; renew it.");
    }
    return time.isBefore(notBefore())
        ? Optional.of("It is valid from " + notBefore() + " on only; look at this machine's clock.")
        : Optional.empty();
  }

  /** Host names and addresses that it is for; a name may begin with {@code *.}. */
  public List<String> names() {
    try {
      Collection<List<?>> names = leaf.getSubjectAlternativeNames();
      return names == null
          ? List.of()
          : names.stream()
              .filter(name -> NAME_KINDS.contains((Integer) name.getFirst()))
              .map(name -> name.get(1).toString().toLowerCase(Locale.ROOT))
              .toList();
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  /** Whether it is for that host; a star stands for one label (RFC 9525, 6.3). */
  public boolean covers(String host) {
    String wanted = host.toLowerCase(Locale.ROOT);
    int dot = wanted.indexOf('.');
    return names().contains(wanted) || dot > 0 && names().contains("*" + wanted.substring(dot));
  }
}

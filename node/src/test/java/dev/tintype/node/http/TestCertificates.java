package dev.tintype.node.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Certificates made by the JDK's keytool, for a test and thrown away after it. */
public final class TestCertificates {
  private static final String PASSWORD = "changeit";
  private static final String ALIAS = "test";
  private static final int LINE_CHARS = 64;

  private TestCertificates() {}

  /**
   * {@code NAME.pem} and {@code NAME.key} for localhost, 127.0.0.1 and *.pictures.example, unless
   * {@code more} has an {@code -ext} of its own.
   *
   * @param more of keytool's options, about the kind of key; default EC for 30 days
   */
  public static TlsConfig make(Path folder, String name, String... more) throws Exception {
    Path store = folder.resolve(name + ".p12");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-dname",
                "CN=" + name));
    if (!List.of(more).contains("-ext")) {
      command.addAll(List.of("-ext", "san=dns:localhost,ip:127.0.0.1,dns:*.pictures.example"));
    }
    command.addAll(
        more.length > 0
            ? List.of(more)
            : List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "30"));
    Process process = new ProcessBuilder(command).inheritIO().start();
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("keytool failed");
    }
    return write(store, folder.resolve(name + ".pem"), folder.resolve(name + ".key"));
  }

  private static TlsConfig write(Path store, Path cert, Path key)
      throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    pem(cert, "CERTIFICATE", keys.getCertificate(ALIAS).getEncoded());
    pem(key, "PRIVATE KEY", keys.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded());
    return new TlsConfig(cert, key, Duration.ZERO);
  }

  private static void pem(Path file, String what, byte[] bytes) throws IOException {
    String text =
        Base64.getMimeEncoder(LINE_CHARS, "\n".getBytes(StandardCharsets.US_ASCII))
            .encodeToString(bytes);
    Files.writeString(
        file, "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
  }
}

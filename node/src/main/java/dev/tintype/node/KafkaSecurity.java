package dev.tintype.node;

import dev.tintype.node.http.Certificate;
import dev.tintype.node.http.TlsConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * How this process proves to Kafka who it is, and the brokers to it: settings in, the clients' own
 * settings out. PEM files are read once, at the start.
 */
final class KafkaSecurity {
  private static final List<String> PROTOCOLS =
      List.of("plaintext", "ssl", "sasl_plaintext", "sasl_ssl");
  private static final Map<String, String> MODULES =
      Map.of(
          "PLAIN", "org.apache.kafka.common.security.plain.PlainLoginModule",
          "SCRAM-SHA-256", "org.apache.kafka.common.security.scram.ScramLoginModule",
          "SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule");
  private static final String MECHANISM_DEFAULT = "SCRAM-SHA-512";
  private static final long FILE_BYTES_MAX = 1 << 20;

  private final SettingValues settings;
  private final String protocol;

  private KafkaSecurity(SettingValues settings) {
    this.settings = settings;
    this.protocol =
        settings.text("kafka.security_protocol").orElse("plaintext").toLowerCase(Locale.ROOT);
  }

  /**
   * Settings of every client of Kafka. The values hold secrets.
   *
   * @throws NodeException.Config config.kafka, config.secret, kafka.ca, tls.cert, tls.key,
   *     tls.mismatch
   */
  static Map<String, String> client(SettingValues settings) {
    return new KafkaSecurity(settings).client();
  }

  private Map<String, String> client() {
    if (!PROTOCOLS.contains(protocol)) {
      throw refused("kafka.security_protocol is one of " + PROTOCOLS + "; found " + protocol + ".");
    }
    Map<String, String> client = new HashMap<>();
    if (!protocol.equals("plaintext")) {
      client.put("security.protocol", protocol.toUpperCase(Locale.ROOT));
    }
    if (protocol.startsWith("sasl")) {
      sasl(client);
    } else {
      without("sasl_...", "kafka.sasl_mechanism", "kafka.user", "kafka.password");
    }
    if (protocol.endsWith("ssl")) {
      tls(client);
    } else {
      without("ssl or sasl_ssl", "kafka.ca", "kafka.cert", "kafka.key");
    }
    return client;
  }

  /** A login that would not be used is a mistake, and one over a line in the clear a worse one. */
  private void without(String needed, String... keys) {
    for (String key : keys) {
      if (settings.text(key).isPresent()) {
        throw refused(
            key + " needs kafka.security_protocol = " + needed + "; it is " + protocol + ".");
      }
    }
  }

  private void sasl(Map<String, String> client) {
    String mechanism =
        settings.text("kafka.sasl_mechanism").orElse(MECHANISM_DEFAULT).toUpperCase(Locale.ROOT);
    if (!MODULES.containsKey(mechanism)) {
      throw refused(
          "kafka.sasl_mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; found "
              + mechanism
              + ".");
    }
    client.put("sasl.mechanism", mechanism);
    client.put(
        "sasl.jaas.config",
        "%s required username=%s password=%s;"
            .formatted(
                MODULES.get(mechanism),
                quoted("kafka.user", settings.text("kafka.user")),
                quoted("kafka.password", settings.secret("kafka.password"))));
  }

  /** As the clients' parser reads it: a quote or a backslash in a password stays one. */
  private String quoted(String key, Optional<String> value) {
    String text =
        value
            .filter(found -> !found.isEmpty())
            .orElseThrow(
                () ->
                    refused(
                        "kafka.security_protocol = "
                            + protocol
                            + " needs kafka.user and kafka.password; "
                            + key
                            + " is missing."));
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw refused(key + " has a control character.");
    }
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private void tls(Map<String, String> client) {
    Optional<Path> cert = settings.text("kafka.cert").map(Path::of);
    Optional<Path> key = settings.text("kafka.key").map(Path::of);
    if (cert.isPresent() != key.isPresent()) {
      throw refused(
          "A certificate of this client needs both kafka.cert and kafka.key, each the name of a PEM"
              + " file.");
    }
    settings
        .text("kafka.ca")
        .map(Path::of)
        .ifPresent(
            file -> {
              client.put("ssl.truststore.type", "PEM");
              client.put("ssl.truststore.certificates", authorities(file));
            });
    cert.ifPresent(
        file -> {
          Certificate.read(new TlsConfig(file, key.get(), Duration.ZERO));
          client.put("ssl.keystore.type", "PEM");
          client.put("ssl.keystore.certificate.chain", text("tls.cert", file));
          client.put("ssl.keystore.key", pkcs8(key.get()));
        });
  }

  private static String authorities(Path file) {
    String pem = text("kafka.ca", file);
    try {
      // Java would also read DER and PKCS#7, which the clients do not.
      if (pem.contains(Certificate.PEM)
          && !CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)))
              .isEmpty()) {
        return pem;
      }
    } catch (CertificateException e) {
      // Refused below, like a file without any.
    }
    throw new NodeException.Config(
        "kafka.ca",
        "kafka.ca: "
            + file
            + " has no certificates in PEM (-----BEGIN CERTIFICATE-----) that can be read.");
  }

  /** The only form that the clients read. */
  private static String pkcs8(Path file) {
    String pem = text("tls.key", file);
    if (!pem.contains("-----BEGIN PRIVATE KEY-----")) {
      throw new NodeException.Config(
          "tls.key",
          "kafka.key: " + file + " is no PKCS#8 key; make it one: openssl pkey -in OLD -out NEW.");
    }
    return pem;
  }

  private static String text(String code, Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new NodeException.Config(code, file + " is larger than 1 MiB.");
      }
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new NodeException.Config(code, file + " cannot be read: " + IoReason.of(e) + ".");
    }
  }

  private static NodeException.Config refused(String message) {
    return new NodeException.Config("config.kafka", message);
  }
}

package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.node.http.TestCertificates;
import dev.tintype.node.http.TlsConfig;
import dev.tintype.queue.transport.KafkaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Settings of Kafka's logins. What they open is tested against a broker: KafkaLoginTest of perf.
 */
class KafkaSecurityTest {
  /** Of a PKCS#8 key of RSA with 2048 bits; a PKCS#1 key is what follows. */
  private static final int PKCS8_HEADER_BYTES = 26;

  @TempDir static Path folder;
  private static TlsConfig own;
  private static TlsConfig other;

  @BeforeAll
  static void makeCertificates() throws Exception {
    own = TestCertificates.make(folder, "own", "-keyalg", "RSA", "-keysize", "2048");
    other = TestCertificates.make(folder, "other");
    Files.writeString(folder.resolve("empty"), "");
    Files.write(folder.resolve("own.der"), bytes(own.cert()));
    byte[] pkcs8 = bytes(own.key());
    byte[] pkcs1 = Arrays.copyOfRange(pkcs8, PKCS8_HEADER_BYTES, pkcs8.length);
    Files.writeString(
        folder.resolve("old.key"),
        "-----BEGIN RSA PRIVATE KEY-----\n"
            + Base64.getMimeEncoder().encodeToString(pkcs1)
            + "\n-----END RSA PRIVATE KEY-----\n");
  }

  /** What a PEM file has in Base64. */
  private static byte[] bytes(Path pem) throws IOException {
    return Base64.getMimeDecoder()
        .decode(Files.readString(pem).replaceAll("-----[A-Z ]*-----", ""));
  }

  /** Settings in {@code key=value}, without {@code kafka.}. */
  private static KafkaConfig read(String settings, Map<String, String> environment) {
    SettingsReader reader = new SettingsReader(folder).flag("kafka.bootstrap", "kafka:9092");
    for (String setting : settings.split(" ")) {
      String[] parts = setting.replace("DIR", folder.toString()).split("=", 2);
      reader.flag("kafka." + parts[0], parts[1]);
    }
    return reader.environment(environment).read().fleet().kafka().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "security_protocol=tls, config.kafka",
    "security_protocol=sasl_ssl user=u, config.kafka",
    "security_protocol=sasl_ssl password=p, config.kafka",
    "security_protocol=sasl_ssl user=u password=p sasl_mechanism=GSSAPI, config.kafka",
    "security_protocol=sasl_ssl user=u password=file:DIR/missing, config.secret",
    "security_protocol=sasl_ssl user=u password=file:DIR/empty, config.kafka",
    "user=u password=p, config.kafka",
    "security_protocol=ssl password=p, config.kafka",
    "ca=DIR/own.pem, config.kafka",
    "security_protocol=sasl_plaintext user=u password=p ca=DIR/own.pem, config.kafka",
    "security_protocol=ssl cert=DIR/own.pem, config.kafka",
    "security_protocol=ssl key=DIR/own.key, config.kafka",
    "security_protocol=ssl ca=DIR/missing, kafka.ca",
    "security_protocol=ssl ca=DIR/empty, kafka.ca",
    "security_protocol=ssl ca=DIR/own.key, kafka.ca",
    "security_protocol=ssl ca=DIR/own.der, kafka.ca",
    "security_protocol=ssl cert=DIR/own.der key=DIR/own.key, tls.cert",
    "security_protocol=ssl cert=DIR/missing key=DIR/own.key, tls.cert",
    "security_protocol=ssl cert=DIR/own.pem key=DIR/empty, tls.key",
    "security_protocol=ssl cert=DIR/own.pem key=DIR/old.key, tls.key",
    "security_protocol=ssl cert=DIR/own.pem key=DIR/other.key, tls.mismatch"
  })
  void whatMakesNoSenseIsRefusedWithItsCode(String settings, String code) {
    assertThatThrownBy(() -> read(settings, Map.of()))
        .isInstanceOfSatisfying(
            NodeException.Config.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void aPasswordOfTheEnvironmentReachesTheClientsAndNoText() {
    KafkaConfig config =
        read(
            "security_protocol=sasl_ssl user=u cert=DIR/own.pem key=DIR/own.key ca=DIR/other.pem",
            Map.of("TINTYPE_KAFKA_PASSWORD", "se\"cr\\et"));
    Map<String, String> client = new HashMap<>(config.client());
    assertThat(client.remove("sasl.jaas.config"))
        .isEqualTo(
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\""
                + " password=\"se\\\"cr\\\\et\";");
    assertThat(client.remove("ssl.keystore.key")).startsWith("-----BEGIN PRIVATE KEY-----");
    assertThat(client.remove("ssl.keystore.certificate.chain")).contains("BEGIN CERTIFICATE");
    assertThat(client.remove("ssl.truststore.certificates")).contains("BEGIN CERTIFICATE");
    assertThat(client)
        .isEqualTo(
            Map.of(
                "security.protocol", "SASL_SSL",
                "sasl.mechanism", "SCRAM-SHA-512",
                "ssl.keystore.type", "PEM",
                "ssl.truststore.type", "PEM"));
    assertThat(config.toString()).doesNotContain("se\"cr", "PRIVATE");
  }

  @Test
  void withoutThemNothingIsSaidToTheClients() {
    assertThat(read("prefix=p", Map.of()).client()).isEmpty();
  }
}

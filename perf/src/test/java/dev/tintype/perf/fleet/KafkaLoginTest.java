package dev.tintype.perf.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.node.SettingsReader;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.KafkaConfig;
import dev.tintype.queue.transport.KafkaTransport;
import dev.tintype.queue.transport.WakeUp;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.KafkaServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One real broker with a listener for each way in: passwords in the clear, certificates of both
 * sides, passwords over TLS.
 */
@Tag("slow")
@Timeout(300)
class KafkaLoginTest {
  /** Whatever would end it too early in a JAAS file. */
  private static final String PASSWORD = "a\"b\\c;d'e =f";

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir static Path folder;
  private static TestPem broker;
  private static TestPem client;
  private static TestPem stranger;
  private static Path secret;
  private static int clear;
  private static int mutual;
  private static int both;
  private static ChildProcess kafka;

  @BeforeAll
  static void startKafka() throws Exception {
    broker = TestPem.make(folder, "broker");
    client = TestPem.make(folder, "client");
    stranger = TestPem.make(folder, "stranger");
    secret = Files.writeString(folder.resolve("secret"), PASSWORD + "\n");
    List<Integer> ports = FreePorts.several(5);
    int own = ports.get(0);
    clear = ports.get(2);
    mutual = ports.get(3);
    both = ports.get(4);
    kafka =
        KafkaServer.of("kafka", folder, own, ports.get(1), settings(own, ports.get(1)))
            .start()
            .awaitReady();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + own))) {
      for (ScramMechanism one :
          List.of(ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)) {
        admin.alterUserScramCredentials(List.of(scram(one))).all().get(60, TimeUnit.SECONDS);
      }
    }
  }

  private static UserScramCredentialAlteration scram(ScramMechanism mechanism) {
    return new UserScramCredentialUpsertion(
        "tintype", new ScramCredentialInfo(mechanism, 4096), PASSWORD);
  }

  private static Map<String, String> settings(int own, int controller) throws Exception {
    String listeners =
        "PLAINTEXT://127.0.0.1:%d,CLEAR://127.0.0.1:%d,MUTUAL://127.0.0.1:%d,BOTH://127.0.0.1:%d"
            .formatted(own, clear, mutual, both);
    Map<String, String> settings = new TreeMap<>();
    settings.put("listeners", listeners + ",CONTROLLER://127.0.0.1:" + controller);
    settings.put("advertised.listeners", listeners);
    settings.put(
        "listener.security.protocol.map",
        "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLEAR:SASL_PLAINTEXT,MUTUAL:SSL,BOTH:SASL_SSL");
    for (String name : List.of("clear", "both")) {
      String listener = "listener.name." + name + ".";
      settings.put(listener + "sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512");
      settings.put(
          listener + "plain.sasl.jaas.config",
          "org.apache.kafka.common.security.plain.PlainLoginModule required user_tintype=\""
              + PASSWORD.replace("\\", "\\\\").replace("\"", "\\\"")
              + "\";");
      for (String mechanism : List.of("scram-sha-256", "scram-sha-512")) {
        settings.put(
            listener + mechanism + ".sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required;");
      }
    }
    for (String name : List.of("mutual", "both")) {
      String listener = "listener.name." + name + ".ssl.";
      settings.put(listener + "keystore.type", "PEM");
      settings.put(listener + "keystore.certificate.chain", Files.readString(broker.cert()));
      settings.put(listener + "keystore.key", Files.readString(broker.key()));
    }
    settings.put("listener.name.mutual.ssl.client.auth", "required");
    settings.put("listener.name.mutual.ssl.truststore.type", "PEM");
    settings.put(
        "listener.name.mutual.ssl.truststore.certificates", Files.readString(client.cert()));
    return settings;
  }

  @AfterAll
  static void stopKafka() {
    kafka.kill();
  }

  /** As an operator writes it; in it, names stand for what this test has made. */
  private static Map<String, String> settings(String written) {
    String text =
        written
            .replace("CLEAR", "bootstrap=127.0.0.1:" + clear)
            .replace("MUTUAL", "bootstrap=127.0.0.1:" + mutual)
            .replace("BOTH", "bootstrap=127.0.0.1:" + both)
            .replace("LOGIN", "user=tintype password=file:" + secret)
            .replace("BROKER", broker.cert().toString())
            .replace("CLIENT", "cert=" + client.cert() + " key=" + client.key())
            .replace("STRANGER", "cert=" + stranger.cert() + " key=" + stranger.key());
    Map<String, String> settings = new TreeMap<>();
    for (String one : text.split(" ")) {
      settings.put("kafka." + one.split("=", 2)[0], one.split("=", 2)[1]);
    }
    return settings;
  }

  private static KafkaTransport open(String written) {
    SettingsReader reader = new SettingsReader(folder);
    settings(written).forEach(reader::flag);
    KafkaConfig config =
        reader
            .flag("kafka.prefix", "t" + UUID.randomUUID().toString().substring(0, 8))
            .read()
            .fleet()
            .kafka()
            .orElseThrow();
    assertThat(config.toString()).doesNotContain(PASSWORD, "PRIVATE KEY");
    return new KafkaTransport(config);
  }

  @ParameterizedTest
  @CsvSource({
    "CLEAR security_protocol=sasl_plaintext sasl_mechanism=PLAIN LOGIN",
    "CLEAR security_protocol=SASL_PLAINTEXT LOGIN",
    "MUTUAL security_protocol=ssl ca=BROKER CLIENT",
    "BOTH security_protocol=sasl_ssl sasl_mechanism=scram-sha-256 LOGIN ca=BROKER"
  })
  void aRightLoginCarriesWakeUps(String written) throws Exception {
    try (KafkaTransport transport = open(written)) {
      transport.login(PATIENCE);
      WakeUp wakeUp =
          new WakeUp(JobId.next(Clock.systemUTC(), new Random()), "a", TierClass.NORMAL);
      assertThat(transport.offer(wakeUp)).isTrue();
      assertThat(transport.depth()).isEqualTo(1);
      assertThat(transport.deadLetters()).hasValue(0);
      Delivery delivery = transport.poll(Set.of("a"), PATIENCE).orElseThrow();
      assertThat(delivery.wakeUp()).isEqualTo(wakeUp);
      delivery.ack();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "CLEAR security_protocol=sasl_plaintext sasl_mechanism=PLAIN user=tintype password=x, login",
    "CLEAR security_protocol=sasl_plaintext user=tintype password=x, login",
    "CLEAR security_protocol=sasl_plaintext user=nobody password=x, login",
    "BOTH security_protocol=sasl_ssl user=tintype password=x ca=BROKER, login",
    "BOTH security_protocol=sasl_ssl LOGIN, tls",
    "MUTUAL security_protocol=ssl ca=BROKER, tls",
    "MUTUAL security_protocol=ssl ca=BROKER STRANGER, tls"
  })
  void aWrongOneIsRefusedWithItsCode(String written, String code) {
    try (KafkaTransport transport = open(written)) {
      assertThatThrownBy(() -> transport.login(PATIENCE))
          .isInstanceOfSatisfying(
              QueueException.Refused.class,
              e -> assertThat(e.code()).isEqualTo("transport." + code))
          .hasMessageContaining("127.0.0.1:")
          .message()
          .doesNotContain(PASSWORD);
    }
  }

  @Test
  void aFileThatTheClientCannotReadIsNoOutage() {
    KafkaConfig config =
        new KafkaConfig(
            "127.0.0.1:" + mutual,
            "t",
            1,
            PATIENCE,
            PATIENCE,
            Map.of(
                "security.protocol",
                "SSL",
                "ssl.truststore.type",
                "PEM",
                "ssl.truststore.certificates",
                "no PEM"));
    try (KafkaTransport transport = new KafkaTransport(config)) {
      assertThatThrownBy(() -> transport.login(PATIENCE))
          .isInstanceOfSatisfying(
              QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo("kafka.config"));
    }
  }

  @Test
  void aTransportThatIsClosedOpensNothing() {
    KafkaTransport transport = open("CLEAR security_protocol=sasl_plaintext LOGIN");
    transport.close();
    assertThatThrownBy(() -> transport.login(PATIENCE))
        .isInstanceOf(QueueException.Unavailable.class);
  }

  /** The broker hangs up without a word, as one that is just starting does. */
  @ParameterizedTest
  @ValueSource(
      strings = {"BOTH security_protocol=ssl ca=BROKER", "CLEAR security_protocol=ssl ca=BROKER"})
  void anotherProtocolIsNotToldFromAnOutage(String written) {
    try (KafkaTransport transport = open(written)) {
      assertThatThrownBy(() -> transport.login(Duration.ofSeconds(5)))
          .isInstanceOf(QueueException.Unavailable.class)
          .hasMessageContaining("kafka.security_protocol");
    }
  }

  @ParameterizedTest
  @CsvSource({"relay, wrong, 1", "worker, wrong, 1", "relay, right, 0"})
  void aRoleWithAWrongPasswordEndsAtOnce(String role, String password, int code) throws Exception {
    try (EmbeddedPostgres postgres =
        EmbeddedPostgres.start(folder.resolve("postgres-" + role + password))) {
      String login = password.equals("right") ? "LOGIN" : "user=tintype password=" + password;
      Map<String, String> settings = settings("CLEAR security_protocol=sasl_plaintext " + login);
      settings.put("database.url", postgres.config().url());
      settings.put("database.user", postgres.config().user());
      settings.put("database.password", postgres.config().password());
      try (RoleProcess process = new RoleProcess(folder, role, settings, RoleProcess.PATIENT)) {
        if (code == 0) {
          process.awaitReady();
          assertThat(process.logged()).doesNotContain("The start goes on without");
        } else {
          assertThat(process.awaitEnd()).isEqualTo(code);
          assertThat(process.said() + process.logged())
              .contains("[transport.login]", "127.0.0.1:" + clear)
              .doesNotContain(password);
        }
      }
    }
  }
}

package dev.tintype.perf.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.RedisServer;
import dev.tintype.servers.S3Server;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** PostgreSQL, Redis and S3 over TLS, as docs/operations.md says. */
@Tag("slow")
@Timeout(300)
class TlsServersTest {
  @TempDir static Path folder;
  private static TestPem server;
  private static TestPem stranger;
  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void startPostgres() throws Exception {
    server = TestPem.make(folder, "server");
    stranger = TestPem.make(folder, "stranger");
    Path home = folder.resolve("postgres");
    postgres = EmbeddedPostgres.start(home);
    Path pgdata = home.resolve("pg");
    for (Path file : List.of(server.cert(), server.key(), stranger.cert(), stranger.key())) {
      Path copy = Files.copy(file, pgdata.resolve(file.getFileName()));
      Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
      Files.setOwner(copy, Files.getOwner(pgdata.resolve("PG_VERSION")));
    }
    try (Database admin = Database.open(postgres.config())) {
      execute(admin, "ALTER SYSTEM SET ssl_cert_file = 'server.pem'");
      execute(admin, "ALTER SYSTEM SET ssl_key_file = 'server.key'");
      execute(admin, "ALTER SYSTEM SET ssl = on");
      execute(admin, "SELECT pg_reload_conf()");
    }
    Patience patience = new Patience();
    while (!reached("127.0.0.1", "?sslmode=require")) {
      patience.rest(() -> "PostgreSQL speaks no TLS");
    }
  }

  private static void execute(Database database, String sql) {
    database.call(connection -> connection.createStatement().execute(sql));
  }

  private static boolean reached(String host, String options) {
    try {
      reach(host, options);
      return true;
    } catch (QueueException.Refused e) {
      return false;
    }
  }

  private static void reach(String host, String options) {
    PostgresConfig own = postgres.config();
    Database.reach(PostgresConfig.of(url(host, options), own.user(), own.password()));
  }

  private static String url(String host, String options) {
    int port = URI.create(postgres.config().url().substring("jdbc:".length())).getPort();
    return "jdbc:postgresql://" + host + ":" + port + "/postgres" + options;
  }

  private static String verified(TestPem authority) {
    return "?sslmode=verify-full&sslrootcert=" + authority.cert();
  }

  @AfterAll
  static void stopPostgres() {
    postgres.close();
  }

  @Test
  void postgresIsBelievedByTheAuthorityThatTheUrlNames() {
    assertThatCode(() -> reach("127.0.0.1", verified(server))).doesNotThrowAnyException();
  }

  @Test
  void postgresOfAnotherAuthorityHostOrFileIsRefused() {
    refused("127.0.0.1", verified(stranger));
    refused("localhost", verified(server));
    refused("127.0.0.1", verified(server).replace("server.pem", "missing.pem"));
  }

  private static void refused(String host, String options) {
    assertThatThrownBy(() -> reach(host, options))
        .isInstanceOfSatisfying(
            QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo("store.tls"));
  }

  /** As when a certificate is renewed by an authority that we do not know. */
  @Test
  void aCertificateThatIsRefusedLaterIsAnOutage() throws Exception {
    PostgresConfig own = postgres.config();
    PostgresConfig verifying =
        new PostgresConfig(
            url("127.0.0.1", verified(server)),
            own.user(),
            own.password(),
            1,
            Duration.ofSeconds(1),
            own.statementTimeout(),
            own.lockTimeout());
    try (Database admin = Database.open(own);
        Database running = Database.open(verifying)) {
      certify(admin, stranger);
      Patience patience = new Patience();
      while (!code(running).equals("store.tls")) {
        patience.rest(() -> "the other certificate is taken");
      }
      certify(admin, server);
      while (!code(running).isEmpty()) {
        patience.rest(() -> "the right certificate is not taken");
      }
    }
  }

  /** Of connections to come; those that are there end, but for the admin's own. */
  private static void certify(Database admin, TestPem pem) {
    execute(admin, "ALTER SYSTEM SET ssl_cert_file = '" + pem.cert().getFileName() + "'");
    execute(admin, "ALTER SYSTEM SET ssl_key_file = '" + pem.key().getFileName() + "'");
    execute(admin, "SELECT pg_reload_conf()");
    execute(
        admin,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_ssl WHERE ssl AND pid <> pg_backend_pid()");
  }

  /** Of an outage; empty where there is none. */
  private static String code(Database database) {
    try {
      execute(database, "SELECT 1");
      return "";
    } catch (QueueException.Unavailable e) {
      return e.code();
    }
  }

  @ParameterizedTest
  @CsvSource({"true, true, ''", "false, true, ephemera.tls", "true, false, blob.tls"})
  void redisAndS3AreBelievedByWhatJavaTrusts(boolean redisTrusted, boolean s3Trusted, String code)
      throws Exception {
    List<Integer> ports = FreePorts.several(2);
    try (ChildProcess redis =
            RedisServer.of("redis" + code, folder, ports.get(0), 16).start().awaitReady();
        ChildProcess s3 =
            S3Server.of("s3" + code, folder, ports.get(1), "pictures", "key").start().awaitReady();
        ServerSocket redisPort = (redisTrusted ? server : stranger).listen();
        ServerSocket s3Port = (s3Trusted ? server : stranger).listen();
        Forward redisTls = new Forward(redisPort, ports.get(0));
        Forward s3Tls = new Forward(s3Port, ports.get(1));
        RoleProcess gateway =
            new RoleProcess(
                folder,
                "gateway",
                settings(redisPort.getLocalPort(), s3Port.getLocalPort()),
                RoleProcess.PATIENT,
                "-Djavax.net.ssl.trustStore=" + trust(),
                "-Djavax.net.ssl.trustStorePassword=" + TestPem.PASSWORD)) {
      if (code.isEmpty()) {
        gateway.awaitReady();
        assertThat(gateway.logged()).doesNotContain("The start goes on without");
      } else {
        assertThat(gateway.awaitEnd()).isEqualTo(1);
        assertThat(gateway.said()).contains("[" + code + "]");
      }
    }
  }

  private static Map<String, String> settings(int redis, int s3) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("database.url", url("127.0.0.1", verified(server)));
    settings.put("database.user", postgres.config().user());
    settings.put("database.password", postgres.config().password());
    settings.put("redis.url", "rediss://127.0.0.1:" + redis);
    settings.put("s3.endpoint", "https://127.0.0.1:" + s3);
    settings.put("s3.bucket", "pictures");
    settings.put("s3.access_key", S3Server.ACCESS_KEY);
    settings.put("s3.secret_key", "key");
    return settings;
  }

  /** As the documents say: keytool -importcert. */
  private static synchronized Path trust() throws Exception {
    Path store = folder.resolve("trust.p12");
    if (!Files.exists(store)) {
      Process keytool =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                  "-importcert",
                  "-noprompt",
                  "-alias",
                  "ca",
                  "-file",
                  server.cert().toString(),
                  "-keystore",
                  store.toString(),
                  "-storetype",
                  "PKCS12",
                  "-storepass",
                  TestPem.PASSWORD)
              .inheritIO()
              .start();
      assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(keytool.exitValue()).isZero();
    }
    return store;
  }
}

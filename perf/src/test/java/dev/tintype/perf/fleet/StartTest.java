package dev.tintype.perf.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.RedisServer;
import dev.tintype.servers.S3Server;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Roles that are started before, or without, their servers. */
@Tag("slow")
@Timeout(300)
class StartTest {
  private static final int TERMINATED = 128 + 15;
  private static final int FAILED = 1;
  private static final String FOR_EVER = "86400";
  private static final String URL = "jdbc:postgresql://127.0.0.1:";

  @TempDir static Path folder;
  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void startPostgres() {
    postgres = EmbeddedPostgres.start(folder.resolve("postgres"));
  }

  @AfterAll
  static void stopPostgres() {
    postgres.close();
  }

  private static int port() {
    return URI.create(postgres.config().url().substring("jdbc:".length())).getPort();
  }

  private static Map<String, String> settings(String url, String waitSeconds) {
    PostgresConfig database = postgres.config();
    return new TreeMap<>(
        Map.of(
            "database.url",
            url,
            "database.user",
            database.user(),
            "database.password",
            database.password(),
            "start.wait_s",
            waitSeconds));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gateway", "worker"})
  void aRoleThatIsStartedFirstComesUpWhenItsDatabaseDoes(String role) throws Exception {
    int port = FreePorts.one();
    String url = URL + port + "/postgres?ApplicationName=a-secret";
    try (RoleProcess early = new RoleProcess(folder, role, settings(url, FOR_EVER))) {
      early.awaitSaid("Waiting for PostgreSQL at 127.0.0.1:" + port + "/postgres since");
      try (Forward there = Forward.of(port, port())) {
        early.awaitReady();
        assertThat(early.said()).contains("86400 s at most (connection refused)");
        assertThat(early.said() + early.logged())
            .doesNotContain("a-secret", postgres.config().password());
      }
    }
  }

  @Test
  void aDatabaseWithoutARoomForOneMoreIsWaitedFor() throws Exception {
    try (Database admin = Database.open(postgres.config())) {
      execute(admin, "CREATE ROLE crowded SUPERUSER LOGIN CONNECTION LIMIT 0 PASSWORD 'pw'");
      execute(admin, "ALTER ROLE crowded NOSUPERUSER");
      execute(admin, "CREATE DATABASE crowded OWNER crowded");
      Map<String, String> settings = settings(URL + port() + "/crowded", FOR_EVER);
      settings.put("database.user", "crowded");
      settings.put("database.password", "pw");
      try (RoleProcess gateway = new RoleProcess(folder, "gateway", settings)) {
        gateway.awaitSaid("too many connections for role");
        execute(admin, "ALTER ROLE crowded CONNECTION LIMIT 50");
        gateway.awaitReady();
      }
    }
  }

  /** As a standby is that is about to become the primary. */
  @Test
  void aDatabaseThatIsReadOnlyForNowIsWaitedFor() throws Exception {
    try (Database admin = Database.open(postgres.config())) {
      execute(admin, "CREATE DATABASE standby");
      execute(admin, "ALTER DATABASE standby SET default_transaction_read_only = on");
      Map<String, String> settings = settings(URL + port() + "/standby", FOR_EVER);
      try (RoleProcess gateway = new RoleProcess(folder, "gateway", settings)) {
        gateway.awaitSaid("in a read-only transaction");
        execute(admin, "ALTER DATABASE standby RESET default_transaction_read_only");
        gateway.awaitReady();
      }
    }
  }

  private static void execute(Database database, String sql) {
    database.call(connection -> connection.createStatement().execute(sql));
  }

  @ParameterizedTest
  @CsvSource({
    "database.password, wrong, store.login",
    "database.password, '', store.login",
    "database.user, nobody, store.login",
    "database.url, /none, store.login",
    "database.url, /postgres?sslmode=require, store.login",
    "database.url, /postgres?connectTimeout=soon, store.config",
    "database.url, /postgres?password=wrong&targetServerType=any-of, store.config",
    "database.url, 9/postgres?password=wrong, store.config"
  })
  void whatIsNoOutageFailsAtOnce(String key, String value, String code) throws Exception {
    Map<String, String> settings = settings(URL + port() + "/postgres", FOR_EVER);
    settings.put(key, key.equals("database.url") ? URL + port() + value : value);
    try (RoleProcess refused = new RoleProcess(folder, "gateway", settings)) {
      fails(refused, code);
    }
  }

  @ParameterizedTest
  @CsvSource({"'', ephemera.login", "wrong, ephemera.login", "right, ready"})
  void aPasswordThatRedisRefusesFailsAtOnce(String password, String code) throws Exception {
    int port = FreePorts.one();
    Map<String, String> settings = settings(postgres.config().url(), FOR_EVER);
    settings.put("redis.url", "redis://127.0.0.1:" + port);
    settings.put("redis.password", password);
    try (ChildProcess redis =
            RedisServer.of("redis-" + code, folder, port, 16, "right").start().awaitReady();
        RoleProcess gateway = new RoleProcess(folder, "gateway", settings, RoleProcess.PATIENT)) {
      fails(gateway, code);
    }
  }

  @ParameterizedTest
  @CsvSource({"tintype, wrong, blob.login", "nobody, right, blob.login", "tintype, right, ready"})
  void keysThatS3RefusesFailAtOnce(String id, String key, String code) throws Exception {
    int port = FreePorts.one();
    Map<String, String> settings = new TreeMap<>();
    settings.put("s3.endpoint", "http://127.0.0.1:" + port);
    settings.put("s3.bucket", "pictures");
    settings.put("s3.access_key", id);
    settings.put("s3.secret_key", key);
    try (ChildProcess s3 =
            S3Server.of("s3-" + id + key, folder, port, "pictures", "right").start().awaitReady();
        RoleProcess edge = new RoleProcess(folder, "edge", settings, RoleProcess.PATIENT)) {
      fails(edge, code);
    }
  }

  /**
   * @param code or {@code ready}
   */
  private static void fails(RoleProcess role, String code) throws Exception {
    if (code.equals("ready")) {
      role.awaitReady();
      assertThat(role.logged()).doesNotContain("The start goes on without");
    } else {
      assertThat(role.awaitEnd()).isEqualTo(FAILED);
      assertThat(role.said()).contains("[" + code + "]");
      assertThat(role.said() + role.logged()).doesNotContain("wrong", "Waiting for");
    }
  }

  @Test
  void aNewerSchemaFailsAtOnce() throws Exception {
    try (Database admin = Database.open(postgres.config())) {
      execute(admin, "CREATE DATABASE newer");
    }
    String url = URL + port() + "/newer";
    PostgresConfig own = postgres.config();
    try (Database newer = Database.open(PostgresConfig.of(url, own.user(), own.password()))) {
      execute(newer, "INSERT INTO schema_versions (version, name, sha256) VALUES (999, 'x', 'x')");
    }
    try (RoleProcess older = new RoleProcess(folder, "gateway", settings(url, FOR_EVER))) {
      fails(older, "store.schema");
    }
  }

  @Test
  void theWaitHearsAStop() throws Exception {
    String url = URL + FreePorts.one() + "/postgres";
    try (RoleProcess waiting = new RoleProcess(folder, "gateway", settings(url, FOR_EVER))) {
      waiting.awaitSaid("Waiting for");
      // A process that does not hear it is killed after a while, with another code.
      assertThat(waiting.stop()).isEqualTo(TERMINATED);
      assertThat(waiting.said()).contains("Stopped before it was ready.");
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 127.0.0.1:%d/postgres was not there in 2 s (connection refused)", "0, The data"})
  void theWaitEndsWithTheCodeOfTheOutage(String seconds, String words) throws Exception {
    int port = FreePorts.one();
    String url = URL + port + "/postgres";
    try (RoleProcess late = new RoleProcess(folder, "relay", relay(settings(url, seconds)))) {
      assertThat(late.awaitEnd()).isEqualTo(FAILED);
      assertThat(late.said()).contains("[store.unavailable]", words.formatted(port));
    }
  }

  private static Map<String, String> relay(Map<String, String> settings) {
    settings.put("kafka.bootstrap", "127.0.0.1:" + FreePorts.one());
    return settings;
  }

  /** They go on without those servers, too, when these die later. */
  @Test
  void noRoleNeedsMoreThanItsDatabaseToComeUp() throws Exception {
    List<Integer> nobody = FreePorts.several(3);
    Map<String, String> settings = settings(postgres.config().url(), FOR_EVER);
    settings.put("kafka.bootstrap", "127.0.0.1:" + nobody.get(0));
    settings.put("redis.url", "redis://127.0.0.1:" + nobody.get(1));
    settings.put("s3.endpoint", "http://127.0.0.1:" + nobody.get(2));
    settings.put("s3.bucket", "tintype");
    settings.put("s3.access_key", "id");
    settings.put("s3.secret_key", "key");
    try (RoleProcess gateway = new RoleProcess(folder, "gateway", settings);
        RoleProcess relay = new RoleProcess(folder, "relay", settings);
        RoleProcess worker = new RoleProcess(folder, "worker", settings);
        RoleProcess edge = new RoleProcess(folder, "edge", settings)) {
      for (RoleProcess role : List.of(gateway, relay, worker, edge)) {
        role.awaitReady();
        assertThat(role.said()).contains("The start goes on without S3");
      }
      assertThat(gateway.said()).contains("The start goes on without Redis");
      assertThat(relay.said()).contains("The start goes on without Kafka");
    }
  }
}

package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.AdmissionRule;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings files, as an operator writes them and as nobody should. */
class SettingsReaderTest {
  @TempDir Path folder;

  private NodeConfig yaml(String text) throws IOException {
    Path file = folder.resolve("fleet.yaml");
    Files.writeString(file, text);
    return new SettingsReader(folder).file(file).read();
  }

  private void refused(String text, String code) {
    assertThatThrownBy(() -> yaml(text))
        .isInstanceOfSatisfying(
            NodeException.Config.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  private String secret(String name, String text) throws IOException {
    return "file:" + Files.writeString(folder.resolve(name), text);
  }

  /** The indented block of docs/operations.md that begins with the file's name. */
  private static String documented() throws IOException {
    return Files.readString(Homes.repository().resolve("docs/operations.md"))
        .lines()
        .dropWhile(line -> !line.startsWith("    # fleet.yaml"))
        .takeWhile(line -> line.startsWith("    "))
        .map(line -> line.substring(4))
        .collect(Collectors.joining("\n"));
  }

  @Test
  void theExampleOfTheDocumentsIsRead() throws IOException {
    String text = documented();
    assertThat(text).contains("kafka:", "redis:", "s3:", "database:", "file:/run/secrets/");
    for (String name : new String[] {"s3-id", "s3-key", "db"}) {
      text = text.replace("file:/run/secrets/" + name, secret(name, "the " + name + "\n"));
    }
    NodeConfig config = yaml(text);
    assertThat(config.fleet().kafka().orElseThrow().bootstrap())
        .isEqualTo("kafka-1:9092,kafka-2:9092");
    assertThat(config.fleet().kafka().orElseThrow().replication()).isEqualTo(3);
    assertThat(config.fleet().redis().orElseThrow().url()).isEqualTo("redis://redis:6379");
    S3Config s3 = config.fleet().s3().orElseThrow();
    assertThat(s3.bucket()).isEqualTo("tintype");
    assertThat(s3.credentials().orElseThrow().accessKey()).isEqualTo("the s3-id");
    assertThat(s3.credentials().orElseThrow().secretKey()).isEqualTo("the s3-key");
    assertThat(config.databaseUrl()).contains("jdbc:postgresql://db:5432/tintype");
    assertThat(config.databasePassword()).isEqualTo("the db");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"12e3", "0x1F", "007", "1_000", "true", "1.10", "~", "null", "2026-01-01"})
  void aValueStaysTheTextThatWasWritten(String password) throws IOException {
    assertThat(yaml("database: { password: " + password + " }").databasePassword())
        .isEqualTo(password);
  }

  @Test
  void nestedDottedAndListedAreTheSameKeys() throws IOException {
    assertThat(
            yaml("kafka.bootstrap: [\"a:1\", \"b:2\"]").fleet().kafka().orElseThrow().bootstrap())
        .isEqualTo("a:1,b:2");
    assertThat(yaml("edge:\n  limits:\n    io_threads: 3\n").edge())
        .isEqualTo(Map.of("edge.limits.io_threads", "3"));
    assertThat(yaml("port:\n").port()).isEqualTo(8080);
    assertThat(yaml("").port()).isEqualTo(8080);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prot: 8080                                   | config.unknown",
        "kafka: { boostrap: \"a:1\" }                 | config.unknown",
        "{port: 1, port: 2}                           | config.file",
        "{a: &x [1, 2], b: *x}                        | config.file",
        "port: [1, [2]]                               | config.file",
        "- port                                       | config.file",
        "port                                         | config.file",
        "port: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}} | config.file",
        "port: !!java.io.File [x]                     | config.file",
        "port: eighty                                 | config.port",
        "port: 70000                                  | config.port",
        "start: { wait_s: 90000 }                     | config.start.wait_s",
        "deterministic: yes                           | config.deterministic",
        "transport: carrier-pigeon                    | config.transport",
        "transport: kafka                             | config.transport",
        "s3: { access_key: a, bucket: b }             | config.s3",
        "database: { password: \"file:/not/there\" }  | config.secret",
        "s3: { access_key: \"file:/not/there\" }      | config.secret"
      })
  void whatMakesNoSenseIsRefusedWithItsCode(String text, String code) {
    refused(text, code);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{a: ", "- "})
  void depthIsRefusedAndNotSunkInto(String opening) {
    refused(opening.repeat(100_000), "config.file");
  }

  @Test
  void ratesOfTheGatewayAndConnectionsAreSet() throws IOException {
    assertThat(yaml("").rates()).isEqualTo(GatewayConfig.Rates.DEFAULT);
    NodeConfig config =
        yaml("gateway: { submits_per_s: 500, submits_burst: 900 }\ndatabase: { connections: 40 }");
    assertThat(config.rates()).isEqualTo(new GatewayConfig.Rates(50, 200, 500, 900));
    assertThat(config.databaseConnections()).isEqualTo(40);
    refused("gateway: { submits_per_s: 0 }", "config.gateway.submits_per_s");
    refused("database: { connections: 1 }", "config.database.connections");
  }

  @Test
  void whatIsTooLargeIsRefused() throws IOException {
    refused("#".repeat((1 << 20) + 1), "config.file");
    refused(
        "database: { password: \"" + secret("long", "x".repeat(5_000)) + "\" }", "config.secret");
  }

  @Test
  void aFaultInTheFileNeverShowsItsSecrets() {
    assertThatThrownBy(() -> yaml("database: { password: hunter2, password: hunter2 }"))
        .hasMessageContaining("line 1")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void aFlagBeatsTheEnvironmentWhichBeatsTheFile() throws IOException {
    Path file = folder.resolve("fleet.yml");
    Files.writeString(file, "port: 1\nhost: file\nbatch: 3\n");
    NodeConfig config =
        new SettingsReader(folder)
            .file(file)
            .environment(Map.of("TINTYPE_PORT", "2", "TINTYPE_HOST", "environment"))
            .flag("port", 3)
            .read();
    assertThat(config.port()).isEqualTo(3);
    assertThat(config.host()).isEqualTo("environment");
    assertThat(config.batch()).isEqualTo(3);
  }

  @Test
  void tiersAreReadAndWhatIsLeftOutIsAsInANewInstallation() throws IOException {
    assertThat(yaml("port: 1").tiers()).isEmpty();
    List<Tier> tiers =
        yaml("""
        tiers:
          free:
          pro: { weight: 9 }
          night: { weight: 2, max_wait_s: 43200, class: relaxed }
        """)
            .tiers()
            .orElseThrow();
    assertThat(tiers).extracting(Tier::name).containsExactly("free", "night", "pro");
    assertThat(tiers.get(0)).isEqualTo(TierSettings.DEFAULTS.get(0));
    assertThat(tiers.get(1))
        .isEqualTo(
            new Tier(
                "night", 2, Duration.ofHours(12), 4, 200, Duration.ofDays(30), TierClass.RELAXED));
    assertThat(tiers.get(2).weight()).isEqualTo(9);
    assertThat(tiers.get(2).runningMax()).isEqualTo(32);
    assertThat(tiers.get(2).fastGpuSeconds()).isEmpty();
    Tier gold =
        yaml("tiers: { pro: { pool: gold, pool_spills: true } }").tiers().orElseThrow().getFirst();
    assertThat(gold.home()).isEqualTo("gold");
    assertThat(gold.spills()).isTrue();
    assertThat(yaml("worker: { pool: gold }").fleet().pool()).isEqualTo("gold");
    assertThat(yaml("port: 1").fleet().pool()).isEqualTo(Tier.SHARED);
    assertThat(
            yaml("tiers: { free: { fast_gpu_seconds: 600 } }")
                .tiers()
                .orElseThrow()
                .getFirst()
                .fastGpuSeconds())
        .hasValue(600);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tiers:",
        "tiers: {}",
        "tiers: { free: { weight: 0 } }",
        "tiers: { free: { weight: 1001 } }",
        "tiers: { free: { weight: many } }",
        "tiers: { free: { max_wait_s: 604801 } }",
        "tiers: { free: { running_max: 0 } }",
        "tiers: { free: { retention_s: 59 } }",
        "tiers: { free: { class: gold } }",
        "tiers: { free: { pool: Gold } }",
        "tiers: { free: { pool: gold, pool_spills: maybe } }",
        "tiers: { free: { fast_gpu_seconds: -1 } }",
        "tiers: { free: { colour: red } }",
        "tiers: { free: 3 }",
        "tiers: { night: { weight: 1 } }",
        "tiers: { Night: { weight: 1, max_wait_s: 9 } }",
        "tiers: { a: { b: { c: 1 } } }"
      })
  void tiersThatMakeNoSenseAreRefused(String text) {
    refused(text, "config.tiers");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tiers: { free: { weight: 1 }, free: { weight: 2 } }",
        "tiers: { free: { weight: 1 }, free.weight: 2 }",
        "tiers: { free: { weight: 1, weight: 1 } }"
      })
  void aTierThatStandsTwiceIsRefused(String text) {
    assertThatThrownBy(() -> yaml(text))
        .isInstanceOfSatisfying(
            NodeException.Config.class, e -> assertThat(e.code()).isEqualTo("config.file"))
        .hasMessageContaining("twice");
  }

  @Test
  void admissionIsOpenUnlessAskedOtherwiseAndNeedsToSeeTheWorkers() throws IOException {
    assertThat(yaml("port: 1").admission()).isEqualTo(AdmissionRule.OPEN);
    assertThat(yaml("admission: bound").admission()).isEqualTo(AdmissionRule.BOUND);
    refused("admission: strict", "config.admission");
    String gateway =
        "{ admission: bound, roles: gateway, edge.keys: x, database.url:"
            + " \"jdbc:postgresql://a/b\"%s }";
    refused(gateway.formatted(""), "config.admission");
    assertThat(yaml(gateway.formatted(", redis.url: \"redis://r:6379\"")).admission())
        .isEqualTo(AdmissionRule.BOUND);
  }
}

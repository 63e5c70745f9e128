package dev.tintype.node;

import dev.tintype.gateway.AdmissionRule;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.node.http.TlsConfig;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.queue.sweep.SweepConfig;
import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Makes a {@link NodeConfig}: a flag beats the environment, which beats the file, which beats the
 * default. Key {@code public_url} is {@code TINTYPE_PUBLIC_URL} in the environment. Unknown keys
 * are errors: a mistyped setting must not be ignored.
 */
public final class SettingsReader {
  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final String ENV_PREFIX = "TINTYPE_";

  /** All keys but those that start with {@code edge.} or {@code tiers.}. */
  public static final List<String> KEYS =
      List.of(
          "data",
          "host",
          "port",
          "roles",
          "models",
          "model",
          "device",
          "deterministic",
          "public_url",
          "drain_s",
          "start.wait_s",
          "batch",
          "checkpoint_steps",
          "database.url",
          "database.user",
          "database.password",
          "database.connections",
          "gateway.requests_per_s",
          "gateway.requests_burst",
          "gateway.submits_per_s",
          "gateway.submits_burst",
          "transport",
          "kafka.bootstrap",
          "kafka.prefix",
          "kafka.replication",
          "kafka.security_protocol",
          "kafka.sasl_mechanism",
          "kafka.user",
          "kafka.password",
          "kafka.ca",
          "kafka.cert",
          "kafka.key",
          "redis.url",
          "redis.password",
          "redis.prefix",
          "s3.endpoint",
          "s3.region",
          "s3.bucket",
          "s3.prefix",
          "s3.access_key",
          "s3.secret_key",
          "s3.storage_class",
          "s3.cold_after_days",
          "s3.cold_class",
          "worker.memory_mb",
          "worker.pool",
          "relay.slots",
          "scale.min",
          "scale.max",
          "scale.target_wait_s",
          "scale.spot_share",
          "scale.webhook",
          "scale.webhook_secret",
          "scale.repeat_s",
          "scale.down_after_s",
          "webhooks.secret",
          "webhooks.allow_private",
          "tls.cert",
          "tls.key",
          "tls.hsts_s",
          "sweep.grace_h",
          "admission");

  private final Map<String, String> values = new TreeMap<>();
  private final Path home;

  /**
   * @param home folder of the program, where {@code models} is
   */
  public SettingsReader(Path home) {
    this.home = home;
  }

  /**
   * Adds a file: YAML if its name ends with {@code .yaml} or {@code .yml}, else {@code key = value}
   * lines (java.util.Properties, UTF-8).
   */
  public SettingsReader file(Path file) {
    Map<String, String> found = new TreeMap<>();
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new NodeException.Config("config.file", file + " is larger than 1 MiB.");
      }
      String text = Files.readString(file);
      if (file.toString().endsWith(".yaml") || file.toString().endsWith(".yml")) {
        found.putAll(YamlSettings.read(file, text));
      } else {
        Properties properties = new Properties();
        properties.load(new StringReader(text));
        properties
            .stringPropertyNames()
            .forEach(key -> found.put(key, properties.getProperty(key)));
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new NodeException.Config(
          "config.file", "The settings in " + file + " cannot be read: " + IoReason.of(e) + ".");
    }
    for (String key : found.keySet()) {
      if (!KEYS.contains(key) && !key.startsWith("edge.") && !TierSettings.has(key)) {
        throw new NodeException.Config(
            "config.unknown",
            "\""
                + key
                + "\" in "
                + file
                + " is no setting; known ones are "
                + KEYS
                + ", edge.* and tiers.*.");
      }
      values.put(key, found.get(key).strip());
    }
    return this;
  }

  /** Adds what the environment sets. */
  public SettingsReader environment(Map<String, String> environment) {
    for (String key : KEYS) {
      String name = ENV_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_');
      Optional.ofNullable(environment.get(name))
          .filter(value -> !value.isBlank())
          .ifPresent(value -> values.put(key, value.strip()));
    }
    return this;
  }

  /** Adds a flag where it was given. */
  public SettingsReader flag(String key, Object value) {
    if (value != null) {
      values.put(key, value.toString());
    }
    return this;
  }

  /** Checks everything. */
  public NodeConfig read() {
    SettingValues settings = new SettingValues(values);
    Map<String, String> edge = new HashMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith("edge.")) {
            edge.put(key, value);
          }
        });
    return new NodeConfig(
        Path.of(settings.text("data").orElse("data")),
        settings.text("host").orElse("localhost"),
        settings.whole("port", 8080, 0, 65_535),
        Role.parse(settings.text("roles").orElse("all")),
        settings.text("models").map(Path::of).orElse(home.resolve("models")),
        settings.text("model"),
        device(settings),
        settings.truth("deterministic"),
        settings.text("public_url").map(SettingValues::origin),
        Duration.ofSeconds(settings.whole("drain_s", 20, 0, 3_600)),
        settings.whole("batch", 0, 0, 64),
        settings.whole("checkpoint_steps", 10, 0, 1_000),
        memory(settings),
        settings.text("database.url"),
        settings.text("database.user").orElse("tintype"),
        settings.secret("database.password").orElse(""),
        edge,
        new FleetSettings(settings).read(),
        admission(settings),
        TierSettings.read(values),
        sweep(settings),
        tls(settings),
        rates(settings),
        settings.whole("database.connections", 10, 2, PostgresConfig.CONNECTIONS_MAX),
        Duration.ofSeconds(settings.whole("start.wait_s", 120, 0, 86_400)));
  }

  private static GatewayConfig.Rates rates(SettingValues settings) {
    GatewayConfig.Rates normal = GatewayConfig.Rates.DEFAULT;
    int max = 1_000_000;
    return new GatewayConfig.Rates(
        settings.whole("gateway.requests_per_s", (int) normal.requestsPerSecond(), 1, max),
        settings.whole("gateway.requests_burst", normal.requestsBurst(), 1, max),
        settings.whole("gateway.submits_per_s", (int) normal.submitsPerSecond(), 1, max),
        settings.whole("gateway.submits_burst", normal.submitsBurst(), 1, max));
  }

  private static Optional<TlsConfig> tls(SettingValues settings) {
    Optional<Path> cert = settings.text("tls.cert").map(Path::of);
    Optional<Path> key = settings.text("tls.key").map(Path::of);
    if (cert.isPresent() != key.isPresent()) {
      throw new NodeException.Config(
          "config.tls", "TLS needs both tls.cert and tls.key, each the name of a PEM file.");
    }
    Duration hsts = Duration.ofSeconds(settings.whole("tls.hsts_s", 0, 0, 63_072_000));
    return cert.map(file -> new TlsConfig(file, key.orElseThrow(), hsts));
  }

  private static OptionalLong memory(SettingValues settings) {
    long megabytes = settings.whole("worker.memory_mb", 0, 0, 10_000_000);
    return megabytes == 0 ? OptionalLong.empty() : OptionalLong.of(megabytes * 1_000_000);
  }

  private static SweepConfig sweep(SettingValues settings) {
    int coldDays = settings.whole("s3.cold_after_days", 0, 0, 36_500);
    return SweepConfig.DEFAULT.withAges(
        Duration.ofHours(settings.whole("sweep.grace_h", 24, 6, 8_760)),
        coldDays == 0 ? Optional.empty() : Optional.of(Duration.ofDays(coldDays)));
  }

  private static AdmissionRule admission(SettingValues settings) {
    String rule = settings.text("admission").orElse("open");
    return switch (rule) {
      case "open" -> AdmissionRule.OPEN;
      case "bound" -> AdmissionRule.BOUND;
      default ->
          throw new NodeException.Config(
              "config.admission", "admission is open or bound; found " + rule);
    };
  }

  private static String device(SettingValues settings) {
    String device = settings.text("device").orElse("auto");
    if (!Devices.isName(device)) {
      throw new NodeException.Config(
          "config.device",
          "\""
              + device
              + "\" is no device; choose from "
              + Devices.NAMES
              + ", or one of several GPUs: cuda:NUMBER or cuda:UUID.");
    }
    return device;
  }
}

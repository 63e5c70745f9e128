package dev.tintype.node;

import dev.tintype.gateway.AdmissionRule;
import dev.tintype.node.http.TlsConfig;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.queue.sweep.SweepConfig;
import dev.tintype.queue.transport.KafkaConfig;
import dev.tintype.queue.webhook.WebhookSecret;
import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
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
  private static final long SECRET_BYTES_MAX = 4_096;
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
          "relay.slots",
          "scale.min",
          "scale.max",
          "scale.target_wait_s",
          "scale.spot_share",
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
    Map<String, String> edge = new HashMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith("edge.")) {
            edge.put(key, value);
          }
        });
    return new NodeConfig(
        Path.of(text("data").orElse("data")),
        text("host").orElse("localhost"),
        whole("port", 8080, 0, 65_535),
        Role.parse(text("roles").orElse("all")),
        text("models").map(Path::of).orElse(home.resolve("models")),
        text("model"),
        device(),
        truth("deterministic"),
        text("public_url").map(SettingsReader::origin),
        Duration.ofSeconds(whole("drain_s", 20, 0, 3_600)),
        whole("batch", 0, 0, 64),
        whole("checkpoint_steps", 10, 0, 1_000),
        memory(),
        text("database.url"),
        text("database.user").orElse("tintype"),
        secret("database.password").orElse(""),
        edge,
        new FleetConfig(
            kafka(), redis(), s3(), whole("relay.slots", 16, 1, 100_000), scale(), webhooks()),
        admission(),
        TierSettings.read(values),
        sweep(),
        tls(),
        rates(),
        whole("database.connections", 10, 2, PostgresConfig.CONNECTIONS_MAX));
  }

  private GatewayRates rates() {
    GatewayRates normal = GatewayRates.DEFAULT;
    int max = 1_000_000;
    return new GatewayRates(
        whole("gateway.requests_per_s", normal.requestsPerSecond(), 1, max),
        whole("gateway.requests_burst", normal.requestsBurst(), 1, max),
        whole("gateway.submits_per_s", normal.submitsPerSecond(), 1, max),
        whole("gateway.submits_burst", normal.submitsBurst(), 1, max));
  }

  private Optional<TlsConfig> tls() {
    Optional<Path> cert = text("tls.cert").map(Path::of);
    Optional<Path> key = text("tls.key").map(Path::of);
    if (cert.isPresent() != key.isPresent()) {
      throw new NodeException.Config(
          "config.tls", "TLS needs both tls.cert and tls.key, each the name of a PEM file.");
    }
    Duration hsts = Duration.ofSeconds(whole("tls.hsts_s", 0, 0, 63_072_000));
    return cert.map(file -> new TlsConfig(file, key.orElseThrow(), hsts));
  }

  private ScalePolicy scale() {
    ScalePolicy usual = ScalePolicy.DEFAULT;
    try {
      return new ScalePolicy(
          whole("scale.min", usual.min(), 0, ScalePolicy.WORKERS_MAX),
          whole("scale.max", usual.max(), 1, ScalePolicy.WORKERS_MAX),
          Duration.ofSeconds(
              whole("scale.target_wait_s", (int) usual.targetWait().toSeconds(), 1, 86_400)),
          text("scale.spot_share").map(Double::parseDouble).orElse(usual.spotShare()));
    } catch (QueueException.Invalid e) {
      throw new NodeException.Config(e.code(), e.getMessage());
    } catch (NumberFormatException e) {
      throw new NodeException.Config(
          "scale.policy", "scale.spot_share is a number from 0 to 1, such as 0.5.");
    }
  }

  private Optional<WebhookSettings> webhooks() {
    boolean allowPrivate = truth("webhooks.allow_private");
    return secret("webhooks.secret")
        .map(secret -> new WebhookSettings(webhookSecret(secret), allowPrivate));
  }

  private static WebhookSecret webhookSecret(String secret) {
    try {
      return WebhookSecret.parse(secret);
    } catch (QueueException.Invalid e) {
      throw new NodeException.Config(e.code(), e.getMessage());
    }
  }

  private OptionalLong memory() {
    long megabytes = whole("worker.memory_mb", 0, 0, 10_000_000);
    return megabytes == 0 ? OptionalLong.empty() : OptionalLong.of(megabytes * 1_000_000);
  }

  private SweepConfig sweep() {
    int coldDays = whole("s3.cold_after_days", 0, 0, 36_500);
    return SweepConfig.DEFAULT.withAges(
        Duration.ofHours(whole("sweep.grace_h", 24, 1, 8_760)),
        coldDays == 0 ? Optional.empty() : Optional.of(Duration.ofDays(coldDays)));
  }

  private AdmissionRule admission() {
    String rule = text("admission").orElse("open");
    return switch (rule) {
      case "open" -> AdmissionRule.OPEN;
      case "bound" -> AdmissionRule.BOUND;
      default ->
          throw new NodeException.Config(
              "config.admission", "admission is open or bound; found " + rule);
    };
  }

  private Optional<KafkaConfig> kafka() {
    String transport =
        text("transport").orElse(text("kafka.bootstrap").isPresent() ? "kafka" : "inprocess");
    return switch (transport) {
      case "inprocess" -> Optional.empty();
      case "kafka" -> {
        KafkaConfig defaults =
            KafkaConfig.of(
                text("kafka.bootstrap")
                    .orElseThrow(
                        () ->
                            new NodeException.Config(
                                "config.transport",
                                "transport = kafka needs kafka.bootstrap, such as kafka:9092.")));
        yield Optional.of(
            new KafkaConfig(
                defaults.bootstrap(),
                text("kafka.prefix").orElse(defaults.prefix()),
                whole("kafka.replication", defaults.replication(), 1, 9),
                defaults.holdTime(),
                defaults.deadline(),
                defaults.client()));
      }
      default ->
          throw new NodeException.Config(
              "config.transport", "transport is inprocess or kafka; found " + transport);
    };
  }

  private Optional<RedisConfig> redis() {
    return text("redis.url")
        .map(url -> RedisConfig.of(url, secret("redis.password")))
        .map(
            redis ->
                new RedisConfig(
                    redis.url(),
                    redis.password(),
                    text("redis.prefix").orElse(redis.prefix()),
                    redis.deadline()));
  }

  private Optional<S3Config> s3() {
    Optional<S3Config.Credentials> credentials =
        secret("s3.access_key")
            .map(
                key ->
                    new S3Config.Credentials(
                        key,
                        secret("s3.secret_key")
                            .orElseThrow(
                                () ->
                                    new NodeException.Config(
                                        "config.s3", "s3.access_key needs s3.secret_key."))));
    return text("s3.bucket")
        .map(
            bucket ->
                new S3Config(
                    text("s3.endpoint").map(SettingsReader::origin).map(URI::create),
                    text("s3.region").orElse("us-east-1"),
                    bucket,
                    text("s3.prefix").orElse(""),
                    credentials,
                    S3Config.DEADLINE_DEFAULT,
                    text("s3.storage_class").orElse(S3Config.STORAGE_CLASS_DEFAULT),
                    whole("s3.cold_after_days", 0, 0, 36_500) == 0
                        ? Optional.empty()
                        : Optional.of(text("s3.cold_class").orElse("STANDARD_IA"))));
  }

  /** A secret, or {@code file:PATH} of the file that has it in its first line. */
  private Optional<String> secret(String key) {
    return text(key)
        .map(
            value -> {
              if (!value.startsWith("file:")) {
                return value;
              }
              Path file = Path.of(value.substring("file:".length()));
              try {
                if (Files.size(file) > SECRET_BYTES_MAX) {
                  throw new NodeException.Config(
                      "config.secret", key + ": " + file + " is too long for a secret.");
                }
                return Files.readString(file).lines().findFirst().orElse("").strip();
              } catch (IOException e) {
                throw new NodeException.Config(
                    "config.secret", key + ": " + file + " cannot be read: " + IoReason.of(e));
              }
            });
  }

  private Optional<String> text(String key) {
    return Optional.ofNullable(values.get(key)).filter(value -> !value.isEmpty());
  }

  private String device() {
    String device = text("device").orElse("auto");
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

  /** False by default. */
  private boolean truth(String key) {
    String value = text(key).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new NodeException.Config("config." + key, key + " is true or false; found " + value);
    }
    return value.equals("true");
  }

  private int whole(String key, int byDefault, int min, int max) {
    String value = text(key).orElse(Integer.toString(byDefault));
    try {
      int number = Integer.parseInt(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number out of range.
    }
    throw new NodeException.Config(
        "config." + key,
        key + " is a whole number from " + min + " to " + max + "; found " + value);
  }

  private static String origin(String url) {
    String origin = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    try {
      URI uri = URI.create(origin);
      if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
        return origin;
      }
    } catch (IllegalArgumentException e) {
      // Refused below.
    }
    throw new NodeException.Config(
        "config.public_url", "public_url is such as https://pictures.example.org; found " + url);
  }
}

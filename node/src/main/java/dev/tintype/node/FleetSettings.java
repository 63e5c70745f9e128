package dev.tintype.node;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.fleet.ScaleHook;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.KafkaConfig;
import dev.tintype.queue.webhook.WebhookSecret;
import dev.tintype.queue.webhook.WebhookUrl;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/** The servers that a fleet shares, as the settings have them. */
final class FleetSettings {
  private final SettingValues settings;

  FleetSettings(SettingValues settings) {
    this.settings = settings;
  }

  FleetConfig read() {
    return new FleetConfig(
        kafka(),
        redis(),
        s3(),
        settings.whole("relay.slots", 16, 1, 100_000),
        scale(),
        scaleWebhook(),
        webhooks(),
        pool());
  }

  private String pool() {
    String pool = settings.text("worker.pool").orElse(Tier.SHARED);
    if (!Tier.isPool(pool)) {
      throw new NodeException.Config(
          "config.pool",
          "worker.pool is the name of a pool: 1 to 32 lower-case letters, digits, - and _; found "
              + pool);
    }
    return pool;
  }

  private ScalePolicy scale() {
    ScalePolicy usual = ScalePolicy.DEFAULT;
    try {
      return new ScalePolicy(
          settings.whole("scale.min", usual.min(), 0, ScalePolicy.WORKERS_MAX),
          settings.whole("scale.max", usual.max(), 1, ScalePolicy.WORKERS_MAX),
          Duration.ofSeconds(
              settings.whole(
                  "scale.target_wait_s", (int) usual.targetWait().toSeconds(), 1, 86_400)),
          settings.text("scale.spot_share").map(Double::parseDouble).orElse(usual.spotShare()));
    } catch (QueueException.Invalid e) {
      throw new NodeException.Config(e.code(), e.getMessage());
    } catch (NumberFormatException e) {
      throw new NodeException.Config(
          "scale.policy", "scale.spot_share is a number from 0 to 1, such as 0.5.");
    }
  }

  private Optional<ScaleWebhook> scaleWebhook() {
    return settings.text("scale.webhook").map(this::scaleWebhook);
  }

  private ScaleWebhook scaleWebhook(String url) {
    WebhookSecret secret =
        settings
            .secret("scale.webhook_secret")
            .or(() -> settings.secret("webhooks.secret"))
            .map(FleetSettings::webhookSecret)
            .orElseThrow(
                () ->
                    new NodeException.Config(
                        "webhook.secret",
                        "scale.webhook needs scale.webhook_secret or webhooks.secret, which sign"
                            + " it."));
    try {
      return new ScaleWebhook(
          new ScaleHook.Settings(
              WebhookUrl.check(url),
              seconds("scale.down_after_s", ScaleHook.Settings.DOWN_AFTER),
              seconds("scale.repeat_s", ScaleHook.Settings.REPEAT)),
          secret);
    } catch (QueueException.Invalid e) {
      throw new NodeException.Config(e.code(), "scale.webhook: " + e.getMessage());
    }
  }

  private Duration seconds(String key, Duration usual) {
    return Duration.ofSeconds(settings.whole(key, (int) usual.toSeconds(), 0, 86_400));
  }

  private Optional<WebhookSettings> webhooks() {
    boolean allowPrivate = settings.truth("webhooks.allow_private");
    return settings
        .secret("webhooks.secret")
        .map(secret -> new WebhookSettings(webhookSecret(secret), allowPrivate));
  }

  private static WebhookSecret webhookSecret(String secret) {
    try {
      return WebhookSecret.parse(secret);
    } catch (QueueException.Invalid e) {
      throw new NodeException.Config(e.code(), e.getMessage());
    }
  }

  private Optional<KafkaConfig> kafka() {
    String transport =
        settings
            .text("transport")
            .orElse(settings.text("kafka.bootstrap").isPresent() ? "kafka" : "inprocess");
    return switch (transport) {
      case "inprocess" -> Optional.empty();
      case "kafka" -> {
        KafkaConfig defaults =
            KafkaConfig.of(
                settings
                    .text("kafka.bootstrap")
                    .orElseThrow(
                        () ->
                            new NodeException.Config(
                                "config.transport",
                                "transport = kafka needs kafka.bootstrap, such as kafka:9092.")));
        yield Optional.of(
            new KafkaConfig(
                defaults.bootstrap(),
                settings.text("kafka.prefix").orElse(defaults.prefix()),
                settings.whole("kafka.replication", defaults.replication(), 1, 9),
                defaults.holdTime(),
                defaults.deadline(),
                KafkaSecurity.client(settings)));
      }
      default ->
          throw new NodeException.Config(
              "config.transport", "transport is inprocess or kafka; found " + transport);
    };
  }

  private Optional<RedisConfig> redis() {
    return settings
        .text("redis.url")
        .map(url -> RedisConfig.of(url, settings.secret("redis.password")))
        .map(
            redis ->
                new RedisConfig(
                    redis.url(),
                    redis.password(),
                    settings.text("redis.prefix").orElse(redis.prefix()),
                    redis.deadline()));
  }

  private Optional<S3Config> s3() {
    Optional<S3Config.Credentials> credentials =
        settings
            .secret("s3.access_key")
            .map(
                key ->
                    new S3Config.Credentials(
                        key,
                        settings
                            .secret("s3.secret_key")
                            .orElseThrow(
                                () ->
                                    new NodeException.Config(
                                        "config.s3", "s3.access_key needs s3.secret_key."))));
    return settings
        .text("s3.bucket")
        .map(
            bucket ->
                new S3Config(
                    settings.text("s3.endpoint").map(SettingValues::origin).map(URI::create),
                    settings.text("s3.region").orElse("us-east-1"),
                    bucket,
                    settings.text("s3.prefix").orElse(""),
                    credentials,
                    S3Config.DEADLINE_DEFAULT,
                    settings.text("s3.storage_class").orElse(S3Config.STORAGE_CLASS_DEFAULT),
                    settings.whole("s3.cold_after_days", 0, 0, 36_500) == 0
                        ? Optional.empty()
                        : Optional.of(settings.text("s3.cold_class").orElse("STANDARD_IA"))));
  }
}

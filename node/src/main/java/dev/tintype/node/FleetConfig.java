package dev.tintype.node;

import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.KafkaConfig;
import java.util.Optional;

/**
 * The servers that a fleet shares beside PostgreSQL. Empty where this process does without.
 *
 * @param kafka carries wake-ups from relays to workers; empty: relay and worker are one process
 * @param redis what may be lost, shared by all processes; empty: each process has its own
 * @param s3 the pictures; empty: the data folder's {@code blobs}
 * @param relaySlots jobs that all workers together can hold, as a relay in a process of its own
 *     reckons; twice as many wake-ups wait in the transport. Default 16
 * @param scale how many workers each model should have, for who asks
 * @param scaleWebhook where changes of that are told; empty, the default: nowhere
 * @param webhooks empty, the default: users are told nothing
 * @param pool of this process's worker; default {@link Tier#SHARED}
 */
public record FleetConfig(
    Optional<KafkaConfig> kafka,
    Optional<RedisConfig> redis,
    Optional<S3Config> s3,
    int relaySlots,
    ScalePolicy scale,
    Optional<ScaleWebhook> scaleWebhook,
    Optional<WebhookSettings> webhooks,
    String pool) {
  /** A process on its own. */
  public static final FleetConfig ALONE =
      new FleetConfig(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          16,
          ScalePolicy.DEFAULT,
          Optional.empty(),
          Optional.empty(),
          Tier.SHARED);
}

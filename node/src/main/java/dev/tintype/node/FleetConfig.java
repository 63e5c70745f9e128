package dev.tintype.node;

import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.fleet.ScalePolicy;
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
 * @param webhooks empty, the default: users are told nothing
 */
public record FleetConfig(
    Optional<KafkaConfig> kafka,
    Optional<RedisConfig> redis,
    Optional<S3Config> s3,
    int relaySlots,
    ScalePolicy scale,
    Optional<WebhookSettings> webhooks) {
  /** A process on its own. */
  public static final FleetConfig ALONE =
      new FleetConfig(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          16,
          ScalePolicy.DEFAULT,
          Optional.empty());
}

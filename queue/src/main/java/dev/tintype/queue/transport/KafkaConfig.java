package dev.tintype.queue.transport;

import dev.tintype.queue.QueueException;
import java.time.Duration;
import java.util.Map;

/**
 * How to reach Kafka 4.2 or newer, with share groups.
 *
 * @param bootstrap brokers, such as {@code kafka-1:9092,kafka-2:9092}
 * @param prefix of topics and of the share group, so that platforms may share a cluster; default
 *     {@code tintype}
 * @param replication copies of a topic; default 1. A wake-up that is lost comes again, so that more
 *     than one copy only shortens the pause
 * @param holdTime how long a worker holds a wake-up without renewing, default 30 s; the broker
 *     allows 15 to 60 s unless told otherwise
 * @param deadline of one call, default 5 s
 * @param client further settings of the clients, such as {@code security.protocol}; may have
 *     secrets, never logged
 */
public record KafkaConfig(
    String bootstrap,
    String prefix,
    int replication,
    Duration holdTime,
    Duration deadline,
    Map<String, String> client) {
  public KafkaConfig {
    client = Map.copyOf(client);
    if (bootstrap.isBlank()
        || !prefix.matches("[a-zA-Z0-9_-]{1,40}")
        || replication < 1
        || replication > 9
        || holdTime.toMillis() < 1_000
        || deadline.toMillis() < 100) {
      throw new QueueException.Invalid(
          "kafka.config",
          "kafka.bootstrap is such as kafka:9092, the prefix has up to 40 letters, digits, - or _,"
              + " replication is from 1 to 9.");
    }
  }

  /** All else by default. */
  public static KafkaConfig of(String bootstrap) {
    return new KafkaConfig(
        bootstrap, "tintype", 1, Duration.ofSeconds(30), Duration.ofSeconds(5), Map.of());
  }

  String group() {
    return prefix + "-workers";
  }

  @Override
  public String toString() {
    return "KafkaConfig[" + bootstrap + ", prefix=" + prefix + "]";
  }
}

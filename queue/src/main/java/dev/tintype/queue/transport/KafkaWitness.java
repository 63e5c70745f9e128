package dev.tintype.queue.transport;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of the share group that takes nothing, so that every worker may take everything. Where
 * all members ask for the same topics, Kafka deals the partitions out among them (SimpleAssignor),
 * and what lies in the part of a busy or sleeping worker waits, though others are idle. Where one
 * member asks for another topic, each topic is dealt out by itself, and a topic of one partition
 * goes to all who ask for it.
 */
final class KafkaWitness implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaWitness.class);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(1);

  private final KafkaShareConsumer<byte[], byte[]> consumer;

  /**
   * Joins in the background, and stays without being polled.
   *
   * @param topic that has no records
   */
  KafkaWitness(KafkaConfig config, String topic) {
    Map<String, Object> settings = new HashMap<>(config.client());
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, config.group());
    settings.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, Integer.MAX_VALUE);
    settings.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
    consumer =
        new KafkaShareConsumer<>(
            settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(topic));
    consumer.poll(Duration.ZERO);
  }

  @Override
  public void close() {
    try {
      consumer.close(CLOSE_MAX);
    } catch (KafkaException e) {
      LOG.debug("The witness did not leave cleanly", e);
    }
  }
}

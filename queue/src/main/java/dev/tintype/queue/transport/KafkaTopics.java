package dev.tintype.queue.transport;

import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics of a platform, {@code PREFIX.jobs.MODEL.CLASS} of the shared workers and {@code
 * PREFIX.pools.POOL.MODEL.CLASS} of others, and the settings of its share group. Both are made at
 * their first use. Not thread-safe.
 */
final class KafkaTopics implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaTopics.class);

  /** Wake-ups are older than this only if their claims lapsed and they were sent anew. */
  private static final Duration RETENTION = Duration.ofMinutes(15);

  private static final int NAME_MAX = 120;
  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  /** Deliveries after which the broker gives up on a wake-up; its job's claim lapses later. */
  static final int DELIVERIES_MAX = 5;

  /** Long enough for somebody to come back from a holiday and look. */
  private static final Duration DEAD_RETENTION = Duration.ofDays(14);

  private final KafkaConfig config;
  private final Admin admin;
  private final Set<String> made = new HashSet<>();
  private boolean groupReady;
  private boolean deadLetters;

  KafkaTopics(KafkaConfig config) {
    this.config = config;
    Map<String, Object> settings = new HashMap<>(config.client());
    settings.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis());
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis());
    this.admin = Admin.create(settings);
  }

  private int millis() {
    return (int) config.deadline().toMillis();
  }

  /** Models have names of any text; topics do not. */
  String topic(String pool, String model, TierClass tierClass) {
    String name = model.replaceAll("[^a-zA-Z0-9_-]", "_");
    if (!name.equals(model) || name.length() > NAME_MAX) {
      String digest = Sha256.hex(model.getBytes(StandardCharsets.UTF_8)).substring(0, 8);
      name = name.substring(0, Math.min(name.length(), NAME_MAX)) + "-" + digest;
    }
    String place = pool.equals(Tier.SHARED) ? ".jobs." : ".pools." + pool + ".";
    return config.prefix() + place + name + "." + tierClass.wire();
  }

  /** A topic that nothing is sent to: see {@link KafkaWitness}. */
  String empty() {
    return config.prefix() + ".jobs";
  }

  /**
   * Where the broker puts what the group rejects or was given too often (KIP-1191, Kafka 4.4).
   * Brokers take names that begin with {@code dlq.} unless they are told otherwise.
   */
  String dead() {
    return "dlq." + config.prefix() + ".jobs";
  }

  /** All topics of these models in that pool. */
  List<String> topics(String pool, Collection<String> models) {
    List<String> topics = new ArrayList<>();
    for (String model : models.stream().sorted().toList()) {
      for (TierClass tierClass : TierClass.values()) {
        topics.add(topic(pool, model, tierClass));
      }
    }
    return topics;
  }

  /** One round trip that needs no right but to log in. Thread-safe, unlike all else. */
  void reach(Duration most) throws ExecutionException, TimeoutException, InterruptedException {
    int millis = (int) most.toMillis();
    admin
        .describeCluster(new DescribeClusterOptions().timeoutMs(millis))
        .nodes()
        .get(millis, TimeUnit.MILLISECONDS);
  }

  /** Makes what is missing, the group's settings first. */
  void make(Collection<String> topics)
      throws ExecutionException, TimeoutException, InterruptedException {
    if (!groupReady) {
      makeGroup();
      deadLetters = makeDead();
      groupReady = true;
    }
    List<NewTopic> missing =
        topics.stream()
            .filter(topic -> !made.contains(topic))
            .map(
                topic ->
                    new NewTopic(topic, 1, (short) config.replication())
                        .configs(Map.of("retention.ms", Long.toString(RETENTION.toMillis()))))
            .toList();
    if (missing.isEmpty()) {
      return;
    }
    for (Map.Entry<String, KafkaFuture<Void>> one :
        admin.createTopics(missing).values().entrySet()) {
      try {
        await(one.getValue());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e;
        }
      }
      made.add(one.getKey());
    }
  }

  /**
   * The broker writes the record as it was, with headers that say where it came from and why. False
   * where it is too old for that or its operator forbids it: wake-ups go on without.
   */
  private boolean makeDead() throws TimeoutException, InterruptedException {
    Map<String, String> settings =
        Map.of(
            "errors.deadletterqueue.group.enable",
            "true",
            "retention.ms",
            Long.toString(DEAD_RETENTION.toMillis()));
    NewTopic topic = new NewTopic(dead(), 1, (short) config.replication()).configs(settings);
    try {
      await(admin.createTopics(List.of(topic)).all());
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        return withoutDead(e.getCause());
      }
    }
    try {
      group(
          Map.of(
              "errors.deadletterqueue.topic.name",
              dead(),
              "errors.deadletterqueue.copy.record.enable",
              "true"));
      return true;
    } catch (ExecutionException e) {
      return withoutDead(e.getCause());
    }
  }

  private boolean withoutDead(Throwable why) {
    LOG.warn(
        "What is no wake-up is dropped: Kafka at {} has no dead-letter topic {} for share groups,"
            + " which needs 4.4 and share.version 2 ({})",
        config.bootstrap(),
        dead(),
        why.getMessage());
    return false;
  }

  /** Records that ever came to the dead-letter topic; empty where there is none. */
  OptionalLong deadLetters() throws ExecutionException, TimeoutException, InterruptedException {
    if (!deadLetters) {
      return OptionalLong.empty();
    }
    TopicPartition only = new TopicPartition(dead(), 0);
    return OptionalLong.of(offsets(Map.of(only, OffsetSpec.latest())).get(only));
  }

  private void makeGroup() throws ExecutionException, TimeoutException, InterruptedException {
    group(
        Map.of(
            // Else a wake-up sent before the first worker came would never be seen.
            "share.auto.offset.reset",
            "earliest",
            "share.record.lock.duration.ms",
            Long.toString(config.holdTime().toMillis()),
            "share.renew.acknowledge.enable",
            "true",
            "share.delivery.count.limit",
            Integer.toString(DELIVERIES_MAX)));
  }

  private void group(Map<String, String> settings)
      throws ExecutionException, TimeoutException, InterruptedException {
    List<AlterConfigOp> changes =
        settings.entrySet().stream()
            .map(
                entry ->
                    new AlterConfigOp(
                        new ConfigEntry(entry.getKey(), entry.getValue()),
                        AlterConfigOp.OpType.SET))
            .toList();
    await(
        admin
            .incrementalAlterConfigs(
                Map.of(new ConfigResource(ConfigResource.Type.GROUP, config.group()), changes))
            .all());
  }

  /** Records that the group has not dealt with, by topic; those held are among them. */
  Map<String, Long> backlogs(Collection<String> topics)
      throws ExecutionException, TimeoutException, InterruptedException {
    List<TopicPartition> partitions =
        topics.stream().map(topic -> new TopicPartition(topic, 0)).toList();
    Map<TopicPartition, SharePartitionOffsetInfo> known = offsets(partitions);
    Map<String, Long> backlogs = new HashMap<>();
    Map<TopicPartition, OffsetSpec> unseen = new HashMap<>();
    for (TopicPartition partition : partitions) {
      Optional<Long> lag =
          Optional.ofNullable(known.get(partition)).flatMap(SharePartitionOffsetInfo::lag);
      if (lag.isPresent()) {
        backlogs.put(partition.topic(), lag.get());
      } else {
        unseen.put(partition, OffsetSpec.latest());
      }
    }
    if (!unseen.isEmpty()) {
      Map<TopicPartition, Long> ends = offsets(unseen);
      offsets(earliest(unseen.keySet()))
          .forEach(
              (partition, first) -> backlogs.put(partition.topic(), ends.get(partition) - first));
    }
    return backlogs;
  }

  private static Map<TopicPartition, OffsetSpec> earliest(Set<TopicPartition> partitions) {
    Map<TopicPartition, OffsetSpec> specs = new HashMap<>();
    partitions.forEach(partition -> specs.put(partition, OffsetSpec.earliest()));
    return specs;
  }

  private Map<TopicPartition, Long> offsets(Map<TopicPartition, OffsetSpec> specs)
      throws ExecutionException, TimeoutException, InterruptedException {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    await(admin.listOffsets(specs).all())
        .forEach((partition, found) -> offsets.put(partition, found.offset()));
    return offsets;
  }

  /** Nothing for partitions that no worker has asked for yet, nor before there is a group. */
  private Map<TopicPartition, SharePartitionOffsetInfo> offsets(List<TopicPartition> partitions)
      throws ExecutionException, TimeoutException, InterruptedException {
    try {
      Map<TopicPartition, SharePartitionOffsetInfo> found = new HashMap<>();
      await(
              admin
                  .listShareGroupOffsets(
                      Map.of(
                          config.group(),
                          new ListShareGroupOffsetsSpec().topicPartitions(partitions)))
                  .partitionsToOffsetInfo(config.group()))
          .forEach(
              (partition, info) -> {
                if (info != null) {
                  found.put(partition, info);
                }
              });
      return found;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof GroupIdNotFoundException
          || e.getCause() instanceof UnknownTopicOrPartitionException) {
        return Map.of();
      }
      throw e;
    }
  }

  private <T> T await(KafkaFuture<T> future)
      throws ExecutionException, TimeoutException, InterruptedException {
    return future.get(config.deadline().toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    admin.close(CLOSE_MAX);
  }
}

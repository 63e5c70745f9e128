package dev.tintype.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** One Kafka 4.4 broker that is its own controller (KRaft), with share groups. */
public final class KafkaServer {
  private static final String CLUSTER_ID = "dGludHlwZS1kZW1vLWthZg";
  private static final int HEAP_MB = 320;

  private KafkaServer() {}

  /**
   * @param brokerPort for clients
   * @param controllerPort of the broker's own controller
   * @param overrides broker settings beside ours
   */
  public static ChildProcess of(
      String name, Path folder, int brokerPort, int controllerPort, Map<String, String> overrides) {
    Path settings = folder.resolve(name + ".properties").toAbsolutePath();
    Properties properties = settings(folder, name, brokerPort, controllerPort);
    properties.putAll(overrides);
    try {
      Files.createDirectories(folder);
      try (var writer = Files.newBufferedWriter(settings)) {
        properties.store(writer, null);
      }
    } catch (IOException e) {
      throw new ServerException("Kafka's settings cannot be written: " + e.getMessage(), e);
    }
    return new ChildProcess(
        name,
        folder,
        JavaCommand.of(
            HEAP_MB, JavaCommand.LIGHT, KafkaServer.class.getName(), List.of(settings.toString())),
        Map.of(),
        Readiness.port(brokerPort),
        Duration.ofSeconds(180));
  }

  private static Properties settings(Path folder, String name, int broker, int controller) {
    Properties properties = new Properties();
    Map.ofEntries(
            Map.entry("process.roles", "broker,controller"),
            Map.entry("node.id", "1"),
            Map.entry("controller.quorum.voters", "1@127.0.0.1:" + controller),
            Map.entry(
                "listeners",
                "PLAINTEXT://127.0.0.1:" + broker + ",CONTROLLER://127.0.0.1:" + controller),
            Map.entry("advertised.listeners", "PLAINTEXT://127.0.0.1:" + broker),
            Map.entry("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
            Map.entry("controller.listener.names", "CONTROLLER"),
            Map.entry("log.dirs", folder.resolve(name + "-logs").toAbsolutePath().toString()),
            // One broker: everything has one copy.
            Map.entry("offsets.topic.replication.factor", "1"),
            Map.entry("offsets.topic.num.partitions", "1"),
            Map.entry("transaction.state.log.replication.factor", "1"),
            Map.entry("transaction.state.log.min.isr", "1"),
            Map.entry("share.coordinator.state.topic.replication.factor", "1"),
            Map.entry("share.coordinator.state.topic.min.isr", "1"),
            Map.entry("share.coordinator.state.topic.num.partitions", "1"),
            Map.entry("group.initial.rebalance.delay.ms", "0"),
            // A member of a share group joins at its first heartbeat; the default is 5 s.
            Map.entry("group.share.heartbeat.interval.ms", "1000"),
            Map.entry("group.share.min.heartbeat.interval.ms", "1000"),
            Map.entry("auto.create.topics.enable", "false"),
            Map.entry("num.network.threads", "2"),
            Map.entry("num.io.threads", "2"),
            Map.entry("num.replica.fetchers", "1"),
            Map.entry("log.cleaner.dedupe.buffer.size", "8388608"),
            Map.entry("background.threads", "2"))
        .forEach(properties::setProperty);
    return properties;
  }

  /** The child: formats its folder the first time, then runs the broker. */
  public static void main(String[] arguments) {
    kafka.tools.StorageTool.execute(
        new String[] {"format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", arguments[0]},
        System.out);
    kafka.Kafka.main(arguments);
  }
}

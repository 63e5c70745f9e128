package dev.tintype.queue.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.TierClass;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.KafkaServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a real broker. */
@Tag("slow")
@Timeout(300)
class KafkaTransportTest extends JobTransportContract {
  private static final AtomicInteger RUNS = new AtomicInteger();
  private static final Duration HOLD = Duration.ofSeconds(10);
  @TempDir static Path folder;
  private static ChildProcess kafka;
  private static String bootstrap;

  @BeforeAll
  static void startKafka() {
    List<Integer> ports = FreePorts.several(2);
    bootstrap = "127.0.0.1:" + ports.getFirst();
    kafka =
        KafkaServer.of(
                "kafka",
                folder,
                ports.getFirst(),
                ports.getLast(),
                Map.of("group.share.min.record.lock.duration.ms", "1000"))
            .start()
            .awaitReady();
  }

  @AfterAll
  static void stopKafka() {
    kafka.kill();
  }

  @Override
  JobTransport open() {
    return open("test" + RUNS.incrementAndGet());
  }

  private static KafkaTransport open(String prefix) {
    return new KafkaTransport(
        new KafkaConfig(bootstrap, prefix, 1, HOLD, Duration.ofSeconds(30), Map.of()));
  }

  @Override
  Duration patience() {
    return Duration.ofSeconds(30);
  }

  /** A fetch is a round trip to the broker. */
  @Override
  Duration quiet() {
    return Duration.ofSeconds(2);
  }

  /** The broker has only the real clock. */
  @Override
  void pass() {
    long until = System.nanoTime() + HOLD.plusMillis(200).toNanos();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  @Test
  void whatOneProcessOffersAnotherGets() throws Exception {
    String prefix = "shared" + RUNS.incrementAndGet();
    try (KafkaTransport relay = open(prefix);
        KafkaTransport worker = open(prefix)) {
      WakeUp wakeUp = wakeUp("a model: with *any* name");
      assertThat(relay.offer(wakeUp)).isTrue();
      assertThat(relay.depth()).isEqualTo(1);
      Delivery delivery = worker.poll(Set.of("a model: with *any* name"), patience()).orElseThrow();
      assertThat(delivery.wakeUp()).isEqualTo(wakeUp);
      delivery.ack();
    }
  }

  @Test
  void aWorkerOfAPoolGetsWhatIsForIt() throws Exception {
    String prefix = "pools" + RUNS.incrementAndGet();
    try (KafkaTransport relay = open(prefix);
        KafkaTransport gold =
            new KafkaTransport(
                new KafkaConfig(bootstrap, prefix, 1, HOLD, Duration.ofSeconds(30), Map.of()),
                "gold")) {
      WakeUp wakeUp = new WakeUp(wakeUp("a").jobId(), "a", TierClass.PRIORITY, "gold");
      assertThat(relay.offer(wakeUp("a"))).isTrue();
      assertThat(relay.offer(wakeUp)).isTrue();
      Delivery delivery = gold.poll(Set.of("a"), patience()).orElseThrow();
      assertThat(delivery.wakeUp()).isEqualTo(wakeUp);
      delivery.ack();
    }
  }

  /** Whatever Kafka assigns to a worker that does not poll must not wait for it. */
  @Test
  void anIdleWorkerGetsWhatABusyOneDoesNotAskFor() throws Exception {
    String prefix = "busy" + RUNS.incrementAndGet();
    Set<String> models = Set.of("a", "b");
    try (KafkaTransport busy = open(prefix);
        KafkaTransport idle = open(prefix)) {
      for (KafkaTransport worker : List.of(busy, idle)) {
        assertThat(busy.offer(wakeUp("a"))).isTrue();
        worker.poll(models, patience()).orElseThrow().ack();
      }
      Set<WakeUp> sent = new HashSet<>();
      for (String model : models) {
        for (TierClass lane : TierClass.values()) {
          WakeUp wakeUp = new WakeUp(wakeUp(model).jobId(), model, lane);
          assertThat(busy.offer(wakeUp)).isTrue();
          sent.add(wakeUp);
        }
      }
      while (!sent.isEmpty()) {
        Delivery delivery = idle.poll(models, patience()).orElseThrow();
        sent.remove(delivery.wakeUp());
        delivery.ack();
      }
    }
  }

  /** Who reads it sees what it was, where it came from and why it is there. */
  @Test
  void whatIsNoWakeUpAndWhatIsGivenBackTooOftenGoesToTheDeadLetters() throws Exception {
    String prefix = "dead" + RUNS.incrementAndGet();
    try (KafkaTransport transport = open(prefix)) {
      WakeUp wakeUp = wakeUp("a");
      assertThat(transport.offer(wakeUp)).isTrue();
      for (int i = 0; i < KafkaTopics.DELIVERIES_MAX; i++) {
        transport.poll(Set.of("a"), patience()).orElseThrow().release();
      }
      send(prefix + ".jobs.a.normal", "no wake-up");
      WakeUp sound = wakeUp("a");
      assertThat(transport.offer(sound)).isTrue();
      Delivery delivery = transport.poll(Set.of("a"), patience()).orElseThrow();
      assertThat(delivery.wakeUp()).isEqualTo(sound);
      delivery.ack();
      List<ConsumerRecord<byte[], byte[]>> dead = read("dlq." + prefix + ".jobs", 2);
      assertThat(dead)
          .extracting(record -> new String(record.value(), StandardCharsets.UTF_8))
          .contains("no wake-up")
          .anyMatch(text -> text.startsWith(wakeUp.jobId().value()));
      assertThat(dead)
          .extracting(record -> header(record, "topic"))
          .containsOnly(prefix + ".jobs.a.normal");
      assertThat(dead)
          .extracting(record -> header(record, "delivery.count"))
          .containsExactlyInAnyOrder("1", Integer.toString(KafkaTopics.DELIVERIES_MAX));
      assertThat(dead)
          .extracting(record -> header(record, "message"))
          .anyMatch(why -> why.contains("rejected"))
          .anyMatch(why -> why.contains("delivery count"));
      assertThat(transport.deadLetters()).hasValue(dead.size());
    }
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    byte[] value = record.headers().lastHeader("__dlq.errors." + name).value();
    return new String(value, StandardCharsets.UTF_8);
  }

  private static void send(String topic, String text) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer
          .send(new ProducerRecord<>(topic, text.getBytes(StandardCharsets.UTF_8)))
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int most) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
      long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (found.size() < most && System.nanoTime() < deadline) {
        consumer.poll(Duration.ofSeconds(1)).forEach(found::add);
      }
      return found;
    }
  }

  /** A process that starts without Kafka starts, and uses it when it is there. */
  private void begunWhileItIsAway(KafkaTransport begun) throws InterruptedException {
    assertThat(begun.offer(wakeUp("a"))).isFalse();
    assertThat(begun.poll(MODELS, NONE)).isEmpty();
    assertThatThrownBy(() -> begun.depths(MODELS))
        .isInstanceOfSatisfying(
            QueueException.Unavailable.class,
            e -> assertThat(e.code()).isEqualTo("transport.unavailable"));
    kafka.start().awaitReady();
    WakeUp wakeUp = wakeUp("a");
    while (!begun.offer(wakeUp)) {
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
    }
    assertThat(begun.trouble()).isEmpty();
  }

  @Test
  void aBrokerThatIsKilledIsUsedAgain() throws Exception {
    String prefix = "killed" + RUNS.incrementAndGet();
    try (KafkaTransport transport =
        new KafkaTransport(
            new KafkaConfig(bootstrap, prefix, 1, HOLD, Duration.ofSeconds(2), Map.of()))) {
      assertThat(transport.offer(wakeUp("a"))).isTrue();
      Delivery before = transport.poll(MODELS, patience()).orElseThrow();
      before.ack();
      kafka.kill();
      assertThat(transport.offer(wakeUp("a"))).isFalse();
      assertThat(transport.poll(MODELS, NONE)).isEmpty();
      assertThat(transport.trouble()).isPresent();
      try (KafkaTransport begun =
          new KafkaTransport(
              new KafkaConfig(bootstrap, prefix, 1, HOLD, Duration.ofSeconds(2), Map.of()))) {
        begunWhileItIsAway(begun);
      }
      WakeUp late = wakeUp("a");
      while (!transport.offer(late)) {
        LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      }
      assertThat(transport.trouble()).isEmpty();
      // The kill may have overtaken what was said of the first wake-up; then it comes once more,
      // and so
      // may the one that was refused while the broker fell.
      Optional<Delivery> delivery = Optional.empty();
      while (delivery.filter(found -> found.wakeUp().equals(late)).isEmpty()) {
        delivery = transport.poll(MODELS, patience());
        delivery.ifPresent(Delivery::ack);
      }
    }
  }
}

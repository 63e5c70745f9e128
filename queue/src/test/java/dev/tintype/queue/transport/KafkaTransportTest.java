package dev.tintype.queue.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.TierClass;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.KafkaServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
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

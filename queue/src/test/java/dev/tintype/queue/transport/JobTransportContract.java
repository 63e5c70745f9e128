package dev.tintype.queue.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every transport has to do. Each implementation's test extends this; {@link #pass} makes the
 * hold time pass.
 */
@Timeout(120)
abstract class JobTransportContract {
  static final Set<String> MODELS = Set.of("a", "b");
  static final Duration NONE = Duration.ZERO;

  private final Random random = new Random(5);

  /** An empty transport. */
  abstract JobTransport open();

  /** Long enough for an offered wake-up to be seen. */
  abstract Duration patience();

  /** Long enough that what should not be delivered would have been. */
  Duration quiet() {
    return NONE;
  }

  /** Lets more than the hold time pass for that transport. */
  abstract void pass();

  WakeUp wakeUp(String model) {
    return new WakeUp(JobId.next(Clock.systemUTC(), random), model, TierClass.NORMAL);
  }

  @Test
  void whatIsOfferedIsDeliveredOnce() throws Exception {
    try (JobTransport transport = open()) {
      WakeUp wakeUp = wakeUp("a");
      assertThat(transport.offer(wakeUp)).isTrue();
      Delivery delivery = transport.poll(MODELS, patience()).orElseThrow();
      assertThat(delivery.wakeUp()).isEqualTo(wakeUp);
      assertThat(delivery.deliveryCount()).isEqualTo(1);
      assertThat(transport.poll(MODELS, quiet())).isEmpty();
      delivery.ack();
      pass();
      assertThat(transport.poll(MODELS, quiet())).isEmpty();
      assertThat(delivery.renew()).isFalse();
    }
  }

  @Test
  void aWorkerGetsOnlyItsModels() throws Exception {
    try (JobTransport transport = open()) {
      WakeUp ours = wakeUp("b");
      transport.offer(wakeUp("a"));
      transport.offer(ours);
      assertThat(transport.poll(Set.of("b"), patience()).orElseThrow().wakeUp()).isEqualTo(ours);
      assertThat(transport.poll(Set.of("b"), quiet())).isEmpty();
      assertThat(transport.depth()).isEqualTo(1);
      assertThat(transport.depths(MODELS)).isEqualTo(Map.of("a", 1, "b", 0));
    }
  }

  @Test
  void whatIsForAnotherPoolStaysThere() throws Exception {
    try (JobTransport transport = open()) {
      WakeUp other = new WakeUp(wakeUp("a").jobId(), "a", TierClass.NORMAL, "gold");
      WakeUp ours = wakeUp("a");
      assertThat(transport.offer(other)).isTrue();
      assertThat(transport.offer(ours)).isTrue();
      assertThat(transport.poll(MODELS, patience()).orElseThrow().wakeUp()).isEqualTo(ours);
      assertThat(transport.poll(MODELS, quiet())).isEmpty();
      assertThat(transport.depths("gold", Set.of("a"))).isEqualTo(Map.of("a", 1));
      assertThat(transport.depths(MODELS)).isEqualTo(Map.of("a", 0, "b", 0));
    }
  }

  @Test
  void whatIsReleasedComesAgainAtOnce() throws Exception {
    try (JobTransport transport = open()) {
      transport.offer(wakeUp("a"));
      Delivery first = transport.poll(MODELS, patience()).orElseThrow();
      first.release();
      Delivery second = transport.poll(MODELS, patience()).orElseThrow();
      assertThat(second.wakeUp()).isEqualTo(first.wakeUp());
      assertThat(second.deliveryCount()).isEqualTo(2);
      first.ack();
      first.release();
      assertThat(second.renew()).isTrue();
      assertThat(transport.poll(MODELS, quiet())).isEmpty();
    }
  }

  @Test
  void aSilentHolderLosesIt() throws Exception {
    try (JobTransport transport = open()) {
      transport.offer(wakeUp("a"));
      Delivery silent = transport.poll(MODELS, patience()).orElseThrow();
      pass();
      Delivery next = transport.poll(MODELS, patience()).orElseThrow();
      assertThat(next.wakeUp()).isEqualTo(silent.wakeUp());
      assertThat(silent.renew()).isFalse();
    }
  }

  @Test
  void manyWorkersShareWithoutDoubles() throws Exception {
    try (JobTransport transport = open();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Set<JobId> offered = ConcurrentHashMap.newKeySet();
      Set<JobId> taken = ConcurrentHashMap.newKeySet();
      List<Future<Integer>> workers =
          IntStream.range(0, 8)
              .mapToObj(i -> threads.submit(() -> drain(transport, taken)))
              .toList();
      for (int i = 0; i < 200; i++) {
        WakeUp wakeUp = wakeUp(i % 2 == 0 ? "a" : "b");
        offered.add(wakeUp.jobId());
        while (!transport.offer(wakeUp)) {
          Thread.onSpinWait();
        }
      }
      int count = 0;
      for (Future<Integer> worker : workers) {
        count += worker.get();
      }
      assertThat(count).isEqualTo(200);
      assertThat(taken).isEqualTo(offered);
    }
  }

  private int drain(JobTransport transport, Set<JobId> taken) throws InterruptedException {
    int count = 0;
    for (Optional<Delivery> next = transport.poll(MODELS, patience());
        next.isPresent();
        next = transport.poll(MODELS, patience())) {
      taken.add(next.get().wakeUp().jobId());
      next.get().ack();
      count++;
    }
    return count;
  }

  @Test
  void closeEndsPolls() throws Exception {
    JobTransport transport = open();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Optional<Delivery>> waiting =
          threads.submit(() -> transport.poll(MODELS, Duration.ofHours(1)));
      transport.close();
      assertThat(waiting.get()).isEmpty();
      assertThat(transport.offer(wakeUp("a"))).isFalse();
    }
  }
}

package dev.tintype.queue.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class InProcessTransportTest extends JobTransportContract {
  private static final Duration HOLD = Duration.ofSeconds(30);
  private final MovableClock clock = new MovableClock();

  @Override
  InProcessTransport open() {
    return new InProcessTransport(16, HOLD, clock);
  }

  @Override
  Duration patience() {
    return Duration.ofMillis(200);
  }

  @Override
  void pass() {
    clock.advance(HOLD.plusMillis(1));
  }

  @Test
  void isBoundedAndTellsOfRoom() throws Exception {
    try (JobTransport transport = open()) {
      AtomicInteger rooms = new AtomicInteger();
      transport.onRoom(rooms::incrementAndGet);
      for (int i = 0; i < 16; i++) {
        assertThat(transport.offer(wakeUp("a"))).isTrue();
      }
      assertThat(transport.offer(wakeUp("a"))).isFalse();
      assertThat(rooms).hasValue(0);
      transport.poll(MODELS, NONE).orElseThrow();
      assertThat(rooms).hasValue(1);
      assertThat(transport.offer(wakeUp("a"))).isTrue();
      assertThat(transport.depth()).isEqualTo(16);
    }
  }

  @Test
  void theUrgentCanBeAskedForAlone() throws Exception {
    try (JobTransport transport = open()) {
      WakeUp relaxed = wakeUp("a");
      WakeUp urgent = new WakeUp(wakeUp("a").jobId(), "a", TierClass.PRIORITY);
      WakeUp other = new WakeUp(wakeUp("b").jobId(), "other", TierClass.PRIORITY);
      transport.offer(relaxed);
      transport.offer(other);
      assertThat(transport.pollUrgent(MODELS)).isEmpty();
      transport.offer(urgent);
      assertThat(transport.pollUrgent(MODELS).orElseThrow().wakeUp()).isEqualTo(urgent);
      assertThat(transport.pollUrgent(MODELS)).isEmpty();
      assertThat(transport.poll(MODELS, NONE).orElseThrow().wakeUp()).isEqualTo(relaxed);
    }
  }

  @Test
  void keepsTheRelaysOrderEvenAfterALapse() throws Exception {
    try (JobTransport transport = open()) {
      WakeUp first = wakeUp("a");
      WakeUp second = wakeUp("a");
      transport.offer(first);
      transport.offer(second);
      transport.offer(wakeUp("a"));
      transport.poll(MODELS, NONE).orElseThrow();
      transport.poll(MODELS, NONE).orElseThrow();
      pass();
      assertThat(transport.poll(MODELS, NONE).orElseThrow().wakeUp()).isEqualTo(first);
      assertThat(transport.poll(MODELS, NONE).orElseThrow().wakeUp()).isEqualTo(second);
    }
  }
}

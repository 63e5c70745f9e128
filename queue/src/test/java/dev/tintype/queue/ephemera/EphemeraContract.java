package dev.tintype.queue.ephemera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every ephemera has to do. Each implementation's test extends this; {@link #pass} makes time
 * pass for it.
 */
@Timeout(60)
abstract class EphemeraContract {
  static final Duration SHORT = Duration.ofSeconds(1);
  static final Duration LONG = Duration.ofMinutes(5);

  /** Long enough for a published message to arrive. */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private Ephemera ephemera;

  /** An empty one. */
  abstract Ephemera open();

  /** Lets at least that time pass for the implementation. */
  abstract void pass(Duration time);

  @BeforeEach
  void begin() {
    ephemera = open();
  }

  @AfterEach
  void end() {
    ephemera.close();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(Optional<byte[]> bytes) {
    return bytes.map(some -> new String(some, StandardCharsets.UTF_8)).orElse("-");
  }

  @Test
  void aValueIsThereUntilItsTimeIsOver() {
    assertThat(ephemera.get("a")).isEmpty();
    ephemera.put("a", bytes("1"), SHORT);
    ephemera.put("b", bytes("2"), LONG);
    assertThat(text(ephemera.get("b"))).isEqualTo("2");
    pass(SHORT);
    assertThat(ephemera.get("a")).isEmpty();
    assertThat(text(ephemera.get("b"))).isEqualTo("2");
    ephemera.put("b", bytes("3"), LONG);
    assertThat(text(ephemera.get("b"))).isEqualTo("3");
  }

  @Test
  void anyByteComesBack() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    ephemera.put("all", all, LONG);
    assertThat(ephemera.get("all").orElseThrow()).isEqualTo(all);
    ephemera.put("none", new byte[0], LONG);
    assertThat(ephemera.get("none").orElseThrow()).isEmpty();
  }

  @Test
  void whatIsRemovedIsGone() {
    ephemera.put("a", bytes("1"), LONG);
    assertThat(ephemera.remove("a")).isTrue();
    assertThat(ephemera.remove("a")).isFalse();
    assertThat(ephemera.get("a")).isEmpty();
  }

  @Test
  void oneOfManyPutsIfAbsent() throws Exception {
    AtomicInteger winners = new AtomicInteger();
    inParallel(
        16,
        () -> {
          if (ephemera.putIfAbsent("lock", bytes("x"), LONG)) {
            winners.incrementAndGet();
          }
        });
    assertThat(winners).hasValue(1);
    assertThat(ephemera.putIfAbsent("brief", bytes("x"), SHORT)).isTrue();
    pass(SHORT);
    assertThat(ephemera.putIfAbsent("brief", bytes("y"), SHORT)).isTrue();
  }

  @Test
  void aFolderListsWhatIsDirectlyInIt() {
    ephemera.put("worker/b", bytes("2"), LONG);
    ephemera.put("worker/a", bytes("1"), LONG);
    ephemera.put("worker/gone", bytes("1"), LONG);
    ephemera.put("worker/brief", bytes("1"), SHORT);
    ephemera.put("worker/deep/c", bytes("3"), LONG);
    ephemera.put("workers", bytes("4"), LONG);
    assertThat(ephemera.putIfAbsent("worker/c", bytes("3"), LONG)).isTrue();
    ephemera.remove("worker/gone");
    assertThat(ephemera.list("worker/").keySet())
        .containsExactly("worker/a", "worker/b", "worker/brief", "worker/c");
    pass(SHORT);
    assertThat(ephemera.list("worker/").keySet())
        .containsExactly("worker/a", "worker/b", "worker/c");
    assertThat(ephemera.list("worker/").get("worker/b")).isEqualTo(bytes("2"));
    assertThat(ephemera.list("nobody/")).isEmpty();
  }

  @Test
  void countersAddUpOverThreads() throws Exception {
    inParallel(10, () -> ephemera.add("count", 3, LONG));
    assertThat(ephemera.add("count", -5, LONG)).isEqualTo(25);
    assertThat(ephemera.add("brief", 1, SHORT)).isEqualTo(1);
    pass(SHORT);
    assertThat(ephemera.add("brief", 1, SHORT)).isEqualTo(1);
  }

  @Test
  void aBurstIsAllowedAndThenTheRate() {
    Rate rate = new Rate(1, Duration.ofSeconds(30), 5);
    for (int left = 4; left >= 0; left--) {
      RateDecision decision = ephemera.take("user", 1, rate);
      assertThat(decision.allowed()).isTrue();
      assertThat(decision.remaining()).isEqualTo(left);
      assertThat(decision.retryAfter()).isZero();
    }
    RateDecision refused = ephemera.take("user", 1, rate);
    assertThat(refused.allowed()).isFalse();
    assertThat(refused.remaining()).isZero();
    assertThat(refused.retryAfter()).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(30));
    assertThat(refused.resetAfter()).isBetween(Duration.ofSeconds(140), Duration.ofSeconds(150));
    assertThat(ephemera.take("another", 1, rate).allowed()).isTrue();
  }

  @Test
  void whatWasTakenIsEarnedBack() {
    Rate rate = new Rate(1, SHORT, 2);
    assertThat(ephemera.take("user", 2, rate).allowed()).isTrue();
    pass(SHORT);
    assertThat(ephemera.take("user", 1, rate).allowed()).isTrue();
    pass(SHORT.multipliedBy(2));
    assertThat(ephemera.take("user", 2, rate).allowed()).isTrue();
  }

  @Test
  void aCostAboveTheBurstIsOwedInFull() {
    Rate rate = new Rate(1, Duration.ofSeconds(1), 10);
    assertThat(ephemera.take("user", 1000, rate).allowed()).isTrue();
    RateDecision next = ephemera.take("user", 1, rate);
    assertThat(next.allowed()).isFalse();
    assertThat(next.retryAfter()).isBetween(Duration.ofSeconds(950), Duration.ofSeconds(991));
  }

  @Test
  void aBurstSharedByManyThreadsIsTakenOnce() throws Exception {
    Rate rate = new Rate(1, Duration.ofMinutes(10), 7);
    AtomicInteger allowed = new AtomicInteger();
    inParallel(
        20,
        () -> {
          if (ephemera.take("shared", 1, rate).allowed()) {
            allowed.incrementAndGet();
          }
        });
    assertThat(allowed).hasValue(7);
  }

  @Test
  void everySubscriberOfATopicHears() throws Exception {
    try (Subscription one = ephemera.subscribe("news");
        Subscription two = ephemera.subscribe("news");
        Subscription other = ephemera.subscribe("weather")) {
      ephemera.publish("news", bytes("first"));
      ephemera.publish("weather", bytes("rain"));
      ephemera.publish("news", bytes("second"));
      for (Subscription subscription : List.of(one, two)) {
        assertThat(text(subscription.poll(PATIENCE))).isEqualTo("first");
        assertThat(text(subscription.poll(PATIENCE))).isEqualTo("second");
        assertThat(subscription.poll(Duration.ZERO)).isEmpty();
      }
      assertThat(text(other.poll(PATIENCE))).isEqualTo("rain");
      two.close();
      ephemera.publish("news", bytes("third"));
      assertThat(text(one.poll(PATIENCE))).isEqualTo("third");
      assertThat(two.poll(Duration.ZERO)).isEmpty();
    }
  }

  @Test
  void aSlowSubscriberLosesTheOldest() throws Exception {
    int sent = Subscription.MESSAGES_MAX + 10;
    try (Subscription slow = ephemera.subscribe("slow");
        Subscription quick = ephemera.subscribe("slow")) {
      for (int i = 0; i < sent; i++) {
        ephemera.publish("slow", bytes("" + i));
        // The quick one has it, so the slow one was given it too.
        assertThat(text(quick.poll(PATIENCE))).isEqualTo("" + i);
      }
      List<String> heard = new ArrayList<>();
      while (heard.isEmpty() || !heard.getLast().equals("" + (sent - 1))) {
        heard.add(text(slow.poll(PATIENCE)));
      }
      assertThat(heard).hasSize(Subscription.MESSAGES_MAX).startsWith("10");
      assertThat(slow.lost()).isEqualTo(10);
      assertThat(quick.lost()).isZero();
    }
  }

  @Test
  void closeEndsPollsAndRefusesCalls() throws Exception {
    Subscription subscription = ephemera.subscribe("news");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Optional<byte[]>> waiting =
          threads.submit(() -> subscription.poll(Duration.ofHours(1)));
      ephemera.close();
      assertThat(waiting.get()).isEmpty();
    }
    assertThatThrownBy(() -> ephemera.get("a")).isInstanceOf(QueueException.Unavailable.class);
  }

  @Test
  void whatNoImplementationTakesIsRefused() {
    refused("ephemera.key", () -> ephemera.get(""));
    refused("ephemera.key", () -> ephemera.put("a b", bytes("1"), LONG));
    refused("ephemera.key", () -> ephemera.get("x".repeat(Ephemera.KEY_CHARS_MAX + 1)));
    refused("ephemera.key", () -> ephemera.list("worker"));
    refused("ephemera.ttl", () -> ephemera.put("a", bytes("1"), Duration.ZERO));
    refused("ephemera.ttl", () -> ephemera.add("a", 1, Ephemera.TTL_MAX.plusMillis(1)));
    refused("ephemera.value", () -> ephemera.publish("a", new byte[70_000]));
    refused(
        "ephemera.value",
        () -> ephemera.put("a", new byte[Ephemera.VALUE_BYTES_MAX + 1], Duration.ofSeconds(1)));
    refused("ephemera.cost", () -> ephemera.take("a", 0, Rate.perSecond(1)));
    refused("ephemera.rate", () -> new Rate(2_000_000, Duration.ofSeconds(1), 1));
  }

  private static void refused(String code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  private static void inParallel(int threads, Runnable call) throws Exception {
    try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        calls.add(pool.submit(call));
      }
      for (Future<?> one : calls) {
        one.get();
      }
    }
  }
}

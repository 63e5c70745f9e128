package dev.tintype.edge.variant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LaterTest {
  private static InFlight deferred(int width) {
    VariantKey key =
        VariantKey.of(
            "ab".repeat(32),
            Operations.none().width(width).resolve(ImageFormat.AVIF, 8192, format -> 50),
            "test");
    InFlight variant = new InFlight(key, 0, false);
    assertThat(variant.defer()).isTrue();
    return variant;
  }

  @Test
  void theOldestGoesWhereThereIsNoRoom() {
    Later later = new Later(2, 10);
    InFlight first = deferred(1);
    InFlight second = deferred(2);
    InFlight third = deferred(3);
    assertThat(later.add(first)).isEmpty();
    assertThat(later.add(second)).isEmpty();
    assertThat(later.add(third)).contains(first);
    assertThat(later.dropped()).isEqualTo(1);
    assertThat(later.next()).contains(second);
    assertThat(later.next()).contains(third);
    assertThat(later.next()).isEmpty();
  }

  @Test
  void whatSomebodyElseBeganIsNotGivenUp() {
    Later later = new Later(1, 10);
    InFlight first = deferred(1);
    later.add(first);
    assertThat(first.insist()).isTrue();
    assertThat(later.add(deferred(2))).isEmpty();
    assertThat(later.dropped()).isZero();
  }

  @Test
  void withoutAQueueNothingIsKept() {
    Later later = new Later(0, 10);
    InFlight only = deferred(1);
    assertThat(later.add(only)).contains(only);
    assertThat(later.size()).isZero();
  }

  @Test
  void whereRequestsAlwaysWaitItGetsItsShareOfTheTime() {
    Later later = new Later(100, 10);
    for (int i = 1; i <= 20; i++) {
      later.add(deferred(i));
    }
    long requestsNs = 0;
    long laterNs = 0;
    for (int i = 0; i < 400; i++) {
      later.served(10);
      requestsNs += 10;
      if (later.take(false)) {
        assertThat(later.take(false)).as("one at a time").isFalse();
        assertThat(later.next()).isPresent();
        later.end(50);
        laterNs += 50;
      }
    }
    // After the first, 50 ns are paid with 450 ns of requests: 1 + 399 x 10 / 450 of them.
    assertThat(laterNs).isEqualTo(9 * 50);
    assertThat(requestsNs).isEqualTo(4_000);
  }

  @Test
  void quietMomentsCostNothing() {
    Later later = new Later(100, 10);
    later.add(deferred(1));
    later.add(deferred(2));
    assertThat(later.take(true)).isTrue();
    later.next();
    later.end(1_000_000);
    assertThat(later.take(false)).isTrue();
  }

  @Test
  void withoutAShareItWaitsForAQuietMoment() {
    Later later = new Later(100, 0);
    later.add(deferred(1));
    assertThat(later.take(false)).isFalse();
    assertThat(later.take(true)).isTrue();
    assertThat(later.next()).isNotEqualTo(Optional.empty());
    later.end(10);
  }
}

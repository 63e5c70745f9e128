package dev.tintype.edge.variant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.edge.url.ImageFormat;
import org.junit.jupiter.api.Test;

/** What an AVIF is thought to take. */
final class EncodeCostsTest {
  private static final long WORK = EncodeCosts.work(2725L * 2225, 512 * 418);

  @Test
  void beforeTheFirstItIsWhatWasMeasured() {
    assertThat(new EncodeCosts(2, 0).avifMs(WORK)).isCloseTo(41, within(5.0));
    assertThat(new EncodeCosts(2, 4).avifMs(WORK)).isCloseTo(648, within(70.0));
  }

  @Test
  void itFollowsWhatAvifTakesHereAndNothingElse() {
    EncodeCosts costs = new EncodeCosts(1, 0);
    for (int i = 0; i < 100; i++) {
      costs.learn(ImageFormat.WEBP, WORK, 7);
      costs.learn(ImageFormat.AVIF, WORK, 400);
    }
    assertThat(costs.avifMs(WORK)).isCloseTo(400, within(1.0));
    assertThat(costs.avifMs(WORK / 2)).isCloseTo(200, within(1.0));
  }

  @Test
  void aQueueCostsWhatIsBeforeOneSharedByTheThreads() {
    EncodeCosts costs = new EncodeCosts(4, 0);
    for (int i = 0; i < 100; i++) {
      costs.learn(ImageFormat.JPEG, WORK, 20);
    }
    assertThat(costs.waitMs(0)).isZero();
    assertThat(costs.waitMs(8)).isCloseTo(40, within(1.0));
  }
}

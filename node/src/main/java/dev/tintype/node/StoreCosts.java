package dev.tintype.node;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.relay.CostModel;
import dev.tintype.queue.relay.LearnedCosts;
import dev.tintype.queue.store.JobStore;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Costs as the newest finished jobs of the whole platform had them, looked at once a minute. While
 * the store is away the last look counts.
 */
final class StoreCosts implements CostModel, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreCosts.class);

  /** 23 ns per pixel and step is an SD1.5 on a fast GPU: the guess until jobs have finished. */
  private static final double NS_PER_PIXEL_STEP = 23;

  private static final int JOBS = 500;
  private static final Duration LOOK_EVERY = Duration.ofMinutes(1);

  private final CostModel guess = CostModel.linear(NS_PER_PIXEL_STEP);
  private final JobStore store;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile CostModel costs = guess;

  StoreCosts(JobStore store) {
    this.store = store;
  }

  /** Looks at once and then every minute. */
  StoreCosts start() {
    Thread.ofVirtual().name("costs").start(this::look);
    return this;
  }

  private void look() {
    try {
      do {
        learn();
      } while (!closed.await(LOOK_EVERY.toSeconds(), TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void learn() {
    try {
      LearnedCosts learned = new LearnedCosts(guess);
      store.measured(JOBS).forEach(learned::learn);
      costs = learned;
    } catch (QueueException e) {
      LOG.debug("costs stay as they were: {}", e.getMessage());
    }
  }

  @Override
  public long estimateMs(JobSpec spec) {
    return costs.estimateMs(spec);
  }

  @Override
  public void close() {
    closed.countDown();
  }
}

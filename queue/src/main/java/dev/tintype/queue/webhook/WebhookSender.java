package dev.tintype.queue.webhook;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.WebhookOutbox;
import dev.tintype.queue.store.WebhookOutbox.Owed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what the outbox owes, at least once, until it is taken or {@value #TRIES_MAX} tries have
 * failed. Several may run; a try whose sender dies is made again after {@link #CLAIM_TIME}.
 */
public final class WebhookSender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WebhookSender.class);

  /** With these waits a receiver may be away for more than a day. */
  public static final int TRIES_MAX = 8;

  private static final List<Duration> WAITS =
      List.of(
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          Duration.ofMinutes(2),
          Duration.ofMinutes(15),
          Duration.ofHours(1),
          Duration.ofHours(6),
          Duration.ofHours(24));

  /** Sent at a time; one user has at most {@link WebhookOutbox#PER_USER_MAX} of them. */
  static final int BATCH_MAX = 16;

  static final Duration CLAIM_TIME = Duration.ofMinutes(2);
  private static final long POLL_MS = 1_000;
  private static final Duration CLOSE_MAX = Duration.ofSeconds(15);

  private final WebhookOutbox outbox;
  private final JobStore jobs;
  private final SignedPost post;
  private final RandomGenerator random;
  private final WebhookCounts counts = new WebhookCounts();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = Thread.ofVirtual().name("webhooks").unstarted(this::loop);

  /**
   * @param random for the jitter of waits; thread-safe
   */
  public WebhookSender(
      WebhookOutbox outbox, JobStore jobs, SignedPost post, RandomGenerator random) {
    this.outbox = outbox;
    this.jobs = jobs;
    this.post = post;
    this.random = random;
  }

  /** What came of its tries. */
  public WebhookCounts counts() {
    return counts;
  }

  /** Looks every second from now on. */
  public WebhookSender start() {
    thread.start();
    return this;
  }

  private void loop() {
    try {
      do {
        roundSafely();
      } while (!closed.await(POLL_MS, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void roundSafely() throws InterruptedException {
    try {
      while (closed.getCount() > 0 && round() == BATCH_MAX) {
        LOG.debug("there is more");
      }
    } catch (QueueException e) {
      LOG.debug("webhooks wait: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("A round of webhooks failed, going on", e);
    }
  }

  /** Sends one batch side by side; returns how many were tried. */
  int round() throws InterruptedException {
    List<Owed> owed = outbox.claim(BATCH_MAX, CLAIM_TIME);
    try (ExecutorService sends = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = owed.stream().<Future<?>>map(o -> sends.submit(() -> send(o))).toList();
      for (Future<?> one : all) {
        try {
          one.get();
        } catch (java.util.concurrent.ExecutionException e) {
          LOG.warn("A webhook is tried again later", e.getCause());
        }
      }
    }
    return owed.size();
  }

  private void send(Owed owed) {
    try {
      sendOnce(owed);
    } catch (QueueException.Unavailable e) {
      throw e; // The claim's end brings it back.
    } catch (RuntimeException e) {
      LOG.error("Job {}: its webhook met a defect", owed.jobId(), e);
      failed(owed, e.getClass().getSimpleName());
    }
  }

  private void sendOnce(Owed owed) {
    Optional<String> body = jobs.get(owed.jobId()).map(job -> WebhookBody.of(owed, job));
    if (body.isEmpty()) {
      outbox.done(owed); // The job was deleted meanwhile: there is nothing to tell any more.
      return;
    }
    SignedPost.Answer answer = post.send(WebhookUrl.check(owed.url()), id(owed), body.get());
    switch (answer) {
      case SignedPost.Answer.Taken taken -> {
        counts.taken();
        outbox.done(owed);
      }
      case SignedPost.Answer.Gone() -> giveUp(owed, "the receiver says that it is gone (410)");
      case SignedPost.Answer.Failed(String why) -> failed(owed, why);
    }
  }

  private void failed(Owed owed, String why) {
    if (owed.tries() >= TRIES_MAX) {
      giveUp(owed, why);
    } else {
      counts.failed();
      LOG.info("Job {}: webhook not taken, try {}: {}", owed.jobId(), owed.tries(), why);
      outbox.again(owed, wait(owed.tries()));
    }
  }

  /** The same in every try. */
  private static String id(Owed owed) {
    JobId job = owed.jobId();
    return "msg_" + job.value() + "_" + owed.seq();
  }

  private void giveUp(Owed owed, String why) {
    counts.givenUp();
    LOG.warn("Job {}: webhook given up after {} tries: {}", owed.jobId(), owed.tries(), why);
    outbox.done(owed);
  }

  /** Up to a fifth longer, so that what failed together does not come back together. */
  private Duration wait(int tries) {
    Duration wait = WAITS.get(Math.min(tries, WAITS.size()) - 1);
    return wait.plusMillis((long) (wait.toMillis() * random.nextDouble() / 5));
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      if (thread.isAlive()) {
        thread.join(CLOSE_MAX);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

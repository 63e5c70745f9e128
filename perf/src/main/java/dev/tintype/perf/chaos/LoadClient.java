package dev.tintype.perf.chaos;

import dev.tintype.perf.chaos.Calls.Answer;
import dev.tintype.perf.chaos.History.Promise;
import dev.tintype.perf.chaos.History.Submission;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One client that submits, asks again, cancels and looks, until told to stop. */
final class LoadClient implements Runnable {
  private static final int PAUSE_MS = 120;
  private static final int RETRY_MS_MAX = 800;

  private final Calls calls;
  private final History history;
  private final SplittableRandom random;
  private final int number;
  private final int openMax;
  private final CountDownLatch stop;
  private final Consumer<String> follow;
  private int submissions;

  /**
   * @param follow told some of the new jobs
   */
  LoadClient(
      Calls calls,
      History history,
      ChaosConfig config,
      int number,
      CountDownLatch stop,
      Consumer<String> follow) {
    this.calls = calls;
    this.history = history;
    this.random = new SplittableRandom(config.seed() * 1_000_003 + number);
    this.number = number;
    this.openMax = config.openMax();
    this.stop = stop;
    this.follow = follow;
  }

  @Override
  public void run() {
    try {
      while (!stop.await(PAUSE_MS, TimeUnit.MILLISECONDS)) {
        act();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void act() throws InterruptedException {
    int drawn = random.nextInt(100);
    if (drawn < 60) {
      if (history.open().size() < openMax) {
        submit();
      } else {
        look();
      }
    } else if (drawn < 70) {
      again();
    } else if (drawn < 75) {
      otherBody();
    } else if (drawn < 80) {
      cancel();
    } else {
      look();
    }
  }

  private void submit() throws InterruptedException {
    Submission submission =
        new Submission(
            "chaos-" + number + "-" + submissions++ + "-" + random.nextLong(1L << 40),
            Recipe.draw(random));
    history.asked(submission);
    while (!answered(submission)) {
      history.retries.incrementAndGet();
      if (stop.await(random.nextInt(RETRY_MS_MAX), TimeUnit.MILLISECONDS)) {
        return; // The drain asks again.
      }
    }
    if (random.nextInt(3) == 0) {
      history.jobOf(submission).ifPresent(follow);
    }
  }

  private boolean answered(Submission submission) throws InterruptedException {
    return calls
        .submit(submission, submission.recipe().body())
        .filter(answer -> answer.status() == 202)
        .isPresent();
  }

  /** The same key and body: the same job. */
  private void again() throws InterruptedException {
    Optional<Submission> any = history.any(random);
    if (any.isPresent() && answered(any.get())) {
      history.replays.incrementAndGet();
    }
  }

  /** The same key with another body: refused. */
  private void otherBody() throws InterruptedException {
    Optional<Submission> any = history.any(random);
    if (any.isEmpty()) {
      return;
    }
    Submission submission = any.get();
    Recipe other = Recipe.draw(random);
    if (other.equals(submission.recipe())) {
      return;
    }
    Optional<Answer> answer = calls.submit(submission, other.body());
    answer
        .filter(one -> one.status() != 422 && !one.later())
        .ifPresent(
            one ->
                history.violation(
                    Promise.DOUBLED,
                    "key "
                        + submission.key()
                        + " with another body was answered with "
                        + one.status()));
  }

  private void cancel() throws InterruptedException {
    for (String id : history.open().stream().limit(1).toList()) {
      calls.cancel(id);
    }
  }

  private void look() throws InterruptedException {
    Optional<String> id = history.any(random).flatMap(history::jobOf);
    if (id.isPresent()) {
      calls.job(id.get());
    }
    for (String open : history.open().stream().limit(2).toList()) {
      calls.job(open);
    }
  }
}

package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.picture.PngEncoder;
import dev.tintype.worker.picture.RecipeText;
import dev.tintype.worker.picture.ThumbHash;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes everything that one job has to tell, in order, on a virtual thread of its own, so that the
 * loop never waits for a disk. Progress is coalesced: only the newest unsent step is kept. Pictures
 * come before the ending, and the ending is the last thing written.
 */
final class JobScribe implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(JobScribe.class);
  private static final long RETRY_MS_MIN = 100;
  private static final long RETRY_MS_MAX = 2_000;

  /** How a job leaves this worker. */
  sealed interface Ending {
    /**
     * @param deviceMs what the job took of the device; empty where a part of it was another
     *     attempt's
     */
    record Succeed(int steps, OptionalLong deviceMs) implements Ending {}

    /**
     * @param goesOn whether another attempt may go on where this one was: the engine is not to
     *     blame
     */
    record Fail(JobFailure failure, boolean goesOn) implements Ending {}

    record Cancel() implements Ending {}

    /**
     * @param preempted for a more urgent job
     */
    record GiveBack(boolean preempted) implements Ending {}

    record Drop() implements Ending {}
  }

  private record Finished(int index, Picture picture) {}

  private final RunningJob job;
  private final LeaseStore store;
  private final BlobStore blobs;
  private final JobCheckpoints checkpoints;
  private final Semaphore picturesPending;
  private final long progressEveryNanos;
  private final long storeWaitNanos;
  private final long handBackNanos;
  private final Runnable onEnd;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Finished> pictures = new ArrayDeque<>();
  private final Deque<ImageRecord> earlier = new ArrayDeque<>();
  private final List<ImageRecord> images = new ArrayList<>();
  private final Map<Integer, PaintingState> states = new LinkedHashMap<>();
  private NewEvent progress;
  private Ending ending;
  private boolean over;
  private long nextProgressAt = System.nanoTime();

  /**
   * @param picturesPending one permit comes back for every picture taken off the loop's hands
   * @param storeWaitNanos longest wait for the blob store, {@link WorkerConfig#STORE_WAIT_MAX}
   * @param handBackNanos as {@link WorkerConfig#handBackMax}
   * @param onEnd called once, when nothing more will be written
   */
  JobScribe(
      RunningJob job,
      LeaseStore store,
      BlobStore blobs,
      JobCheckpoints checkpoints,
      Semaphore picturesPending,
      long progressEveryNanos,
      long storeWaitNanos,
      long handBackNanos,
      Runnable onEnd) {
    this.job = job;
    this.store = store;
    this.blobs = blobs;
    this.checkpoints = checkpoints;
    this.picturesPending = picturesPending;
    this.progressEveryNanos = progressEveryNanos;
    this.storeWaitNanos = storeWaitNanos;
    this.handBackNanos = handBackNanos;
    this.onEnd = onEnd;
  }

  void progress(int step, int steps) {
    NewEvent newest = NewEvent.progress(step, steps);
    tell(() -> progress = newest);
  }

  /** Pictures that an earlier attempt has stored are the job's too. */
  void earlier(List<ImageRecord> stored) {
    tell(() -> earlier.addAll(stored));
  }

  /** Only the newest of a picture is kept. */
  void checkpoint(int index, PaintingState state) {
    tell(() -> states.put(index, state));
  }

  void picture(int index, Picture picture) {
    tell(
        () -> {
          if (over) {
            picturesPending.release();
          } else {
            states.remove(index);
            pictures.add(new Finished(index, picture));
          }
        });
  }

  /** The first ending counts. A job that is given back has little time left for its pictures. */
  void end(Ending how) {
    if (how instanceof Ending.GiveBack(boolean preempted)) {
      job.stop(preempted ? RunningJob.Stop.PREEMPT : RunningJob.Stop.GIVE_BACK);
    }
    tell(() -> ending = ending == null ? how : ending);
  }

  private void tell(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void run() {
    try {
      while (!await().run()) {
        // Until the ending is written.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      // Out of memory over a PNG, too: the loop must not go on with a job that nobody writes down.
      LOG.error("Job {} cannot be written; its lease will lapse", job.lease().jobId(), e);
      job.stop(RunningJob.Stop.LOST);
    } finally {
      dropPictures();
      onEnd.run();
    }
  }

  /** One thing to write; true where it was the ending. */
  private interface Write {
    boolean run() throws InterruptedException;
  }

  private Write await() throws InterruptedException {
    lock.lock();
    try {
      Write next = next();
      while (next == null) {
        if (progress == null) {
          changed.await();
        } else {
          changed.awaitNanos(nextProgressAt - System.nanoTime());
        }
        next = next();
      }
      return next;
    } finally {
      lock.unlock();
    }
  }

  /** The most urgent thing, or null for none now. Under the lock. */
  private Write next() {
    Ending how = ending;
    if (how instanceof Ending.GiveBack && !states.isEmpty()) {
      return keep(takeStates());
    }
    boolean handsOn = how instanceof Ending.Succeed || how instanceof Ending.GiveBack;
    if (how != null && !handsOn) {
      return () -> write(how); // Whatever else waits is of no use to anybody now.
    }
    if (!earlier.isEmpty()) {
      ImageRecord image = earlier.poll();
      return () -> keep(image);
    }
    if (!pictures.isEmpty()) {
      Finished picture = pictures.poll();
      return () -> store(picture);
    }
    if (how != null) {
      return () -> write(how);
    }
    if (!states.isEmpty()) {
      return keep(takeStates());
    }
    if (progress != null && nextProgressAt - System.nanoTime() <= 0) {
      NewEvent event = progress;
      progress = null;
      return () -> append(event);
    }
    return null;
  }

  private Write keep(Map<Integer, PaintingState> reached) {
    return () -> {
      reached.forEach(checkpoints::keep);
      return false;
    };
  }

  private boolean append(NewEvent event) throws InterruptedException {
    nextProgressAt = System.nanoTime() + progressEveryNanos;
    lostUnless(() -> store.appendEvents(job.lease(), List.of(event)));
    return false;
  }

  private Map<Integer, PaintingState> takeStates() {
    Map<Integer, PaintingState> taken = Map.copyOf(states);
    states.clear();
    return taken;
  }

  private boolean store(Finished done) throws InterruptedException {
    long start = System.nanoTime();
    ImageRecord image;
    try {
      byte[] png =
          PngEncoder.encode(
              done.picture(),
              RecipeText.of(job.spec(), done.index(), scheduler(), job.engine().modelHash()));
      Optional<String> sha256 = put(png);
      if (sha256.isEmpty()) {
        replaceEnding(stopped());
        return false;
      }
      image =
          new ImageRecord(
              done.index(),
              sha256.get(),
              done.picture().width(),
              done.picture().height(),
              Engine.seed(job.spec(), done.index()),
              png.length,
              Optional.of(ThumbHash.base64(done.picture())));
    } catch (QueueException e) {
      LOG.warn("Picture {} of job {}: {}", done.index(), job.lease().jobId(), e.getMessage());
      replaceEnding(new Ending.Fail(new JobFailure(e.code(), e.getMessage(), true), true));
      job.stop(RunningJob.Stop.FAILED);
      return false;
    } finally {
      picturesPending.release();
      job.times().add(Stage.STORE, System.nanoTime() - start);
    }
    if (job.spec().images() > 1) {
      checkpoints.keep(image);
    }
    return keep(image);
  }

  private boolean keep(ImageRecord image) throws InterruptedException {
    images.add(image);
    lostUnless(() -> store.appendEvents(job.lease(), List.of(NewEvent.image(image))));
    return false;
  }

  /**
   * The picture's name in the blob store, whose absence is waited for; empty where the job is to
   * stop meanwhile, and cannot wait for longer.
   */
  private Optional<String> put(byte[] png) throws InterruptedException {
    long deadline = System.nanoTime() + storeWaitNanos;
    long pauseMs = RETRY_MS_MIN;
    while (mayStore()) {
      try {
        return Optional.of(blobs.put(png));
      } catch (QueueException.Blob e) {
        boolean late = job.stop() == null && System.nanoTime() > deadline;
        if (e.code().equals("blob.too_large") || late) {
          throw e;
        }
        LOG.warn(
            "Job {}: picture not stored, trying again: {}", job.lease().jobId(), e.getMessage());
        TimeUnit.MILLISECONDS.sleep(pauseMs);
        pauseMs = Math.min(RETRY_MS_MAX, pauseMs * 2);
      }
    }
    return Optional.empty();
  }

  /** A job that is handed on still has a while for its pictures. */
  private boolean mayStore() {
    RunningJob.Stop reason = job.stop();
    return reason == null || reason.handsOn() && job.stoppedForNanos() < handBackNanos;
  }

  /** What becomes of a job whose picture was not stored in time. */
  private Ending stopped() {
    return switch (job.stop()) {
      case CANCEL -> new Ending.Cancel();
      case GIVE_BACK -> new Ending.GiveBack(false);
      case PREEMPT -> new Ending.GiveBack(true);
      case LOST, FAILED -> new Ending.Drop();
    };
  }

  private String scheduler() {
    return job.spec().scheduler().orElseGet(() -> job.engine().defaultScheduler());
  }

  /** A picture that cannot be stored ends the job so, whatever the loop says later. */
  private void replaceEnding(Ending how) {
    tell(
        () -> {
          ending = how;
          pictures.forEach(picture -> picturesPending.release());
          pictures.clear();
        });
  }

  private boolean write(Ending how) throws InterruptedException {
    switch (how) {
      case Ending.Succeed(int steps, OptionalLong deviceMs) -> {
        NewEvent timings = new NewEvent(EventType.PROGRESS, job.times().toProgressJson(steps));
        images.sort(Comparator.comparingInt(ImageRecord::index));
        lostUnless(() -> store.appendEvents(job.lease(), List.of(timings)));
        lostUnless(() -> store.finish(job.lease(), List.copyOf(images), deviceMs));
        clearCheckpoints();
      }
      case Ending.Fail(JobFailure failure, boolean goesOn) -> {
        if (!goesOn) {
          clearCheckpoints(); // Before the next attempt can read them.
        }
        lostUnless(() -> store.fail(job.lease(), failure).isPresent());
      }
      case Ending.Cancel() -> {
        lostUnless(() -> store.finishCanceled(job.lease()));
        clearCheckpoints();
      }
      case Ending.GiveBack(boolean preempted) ->
          lostUnless(() -> preempted ? store.preempt(job.lease()) : store.release(job.lease()));
      case Ending.Drop() -> LOG.info("Job {}: lease lost, result dropped", job.lease().jobId());
    }
    return true;
  }

  /** Not where the lease was lost: they are of use to the attempt that has it now. */
  private void clearCheckpoints() {
    if (job.stop() != RunningJob.Stop.LOST) {
      checkpoints.clear();
    }
  }

  /**
   * One write under the lease. The store being away is waited for, up to a bound: a picture that
   * took minutes is worth it. False from the store means that the lease is lost.
   */
  private void lostUnless(BooleanSupplier write) throws InterruptedException {
    long deadline = System.nanoTime() + WorkerConfig.HAND_IN_MAX.toNanos();
    long pauseMs = RETRY_MS_MIN;
    while (job.stop() != RunningJob.Stop.LOST) {
      try {
        if (!write.getAsBoolean()) {
          job.stop(RunningJob.Stop.LOST);
        }
        return;
      } catch (QueueException.Unavailable e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        LOG.warn("Job {}: store away, trying again: {}", job.lease().jobId(), e.getMessage());
        TimeUnit.MILLISECONDS.sleep(pauseMs);
        pauseMs = Math.min(RETRY_MS_MAX, pauseMs * 2);
      }
    }
  }

  private void dropPictures() {
    tell(
        () -> {
          // What the loop still hands over is nobody's, and its permit must come back too.
          over = true;
          picturesPending.release(pictures.size());
          pictures.clear();
        });
  }
}

package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.Picture;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes what one job has to tell off the loop's hands, and has it written in order on a virtual
 * thread of its own, so that the loop never waits for a disk. Progress is coalesced: only the
 * newest unsent step is kept. Pictures come before the ending, and the ending is the last thing
 * written.
 */
final class JobScribe implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(JobScribe.class);

  private record Finished(int index, Picture picture, OptionalLong gpuMs) {}

  /** One thing to write; true where it was the ending. */
  private interface Write {
    boolean run() throws InterruptedException;
  }

  private final RunningJob job;
  private final LeasedWrites writes;
  private final PictureHandIn handIn;
  private final JobCheckpoints checkpoints;
  private final Semaphore picturesPending;
  private final long progressEveryNanos;
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
   * @param progressEveryNanos as {@link WorkerConfig#progressEvery}
   * @param onEnd called once, when nothing more will be written
   */
  JobScribe(
      RunningJob job,
      LeasedWrites writes,
      PictureHandIn handIn,
      JobCheckpoints checkpoints,
      Semaphore picturesPending,
      long progressEveryNanos,
      Runnable onEnd) {
    this.job = job;
    this.writes = writes;
    this.handIn = handIn;
    this.checkpoints = checkpoints;
    this.picturesPending = picturesPending;
    this.progressEveryNanos = progressEveryNanos;
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

  /**
   * @param gpuMs what it took of the device; empty where a part of it was another attempt's
   */
  void picture(int index, Picture picture, OptionalLong gpuMs) {
    tell(
        () -> {
          if (over) {
            picturesPending.release();
          } else {
            states.remove(index);
            pictures.add(new Finished(index, picture, gpuMs));
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
    if (how != null && how.handsOn() && !states.isEmpty()) {
      return keep(takeStates());
    }
    if (how != null && !how.keepsPictures()) {
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

  private Map<Integer, PaintingState> takeStates() {
    Map<Integer, PaintingState> taken = Map.copyOf(states);
    states.clear();
    return taken;
  }

  private Write keep(Map<Integer, PaintingState> reached) {
    return () -> {
      reached.forEach(checkpoints::keep);
      return false;
    };
  }

  private boolean append(NewEvent event) throws InterruptedException {
    nextProgressAt = System.nanoTime() + progressEveryNanos;
    writes.append(event);
    return false;
  }

  private boolean store(Finished done) throws InterruptedException {
    Optional<ImageRecord> image;
    try {
      image = handIn.store(done.index(), done.picture(), done.gpuMs());
    } catch (QueueException e) {
      LOG.warn("Picture {} of job {}: {}", done.index(), job.lease().jobId(), e.getMessage());
      replaceEnding(new Ending.Fail(new JobFailure(e.code(), e.getMessage(), true), true));
      job.stop(RunningJob.Stop.FAILED);
      return false;
    } finally {
      picturesPending.release();
    }
    if (image.isEmpty()) {
      replaceEnding(stopped());
      return false;
    }
    if (job.spec().images() > 1) {
      checkpoints.keep(image.get());
    }
    return keep(image.get());
  }

  private boolean keep(ImageRecord image) throws InterruptedException {
    images.add(image);
    writes.append(NewEvent.image(image));
    return false;
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
    writes.end(how, images);
    return true;
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

package dev.tintype.worker;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.Painting;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.engine.StartPictures;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A small engine whose pictures show their seed and every step that was taken for them. Prompts are
 * its script: {@code refuse} cannot be admitted, {@code defect} throws in a step, {@code call} is a
 * failed call of the device, {@code lost} loses the device, {@code slow} waits for a permit before
 * each step.
 */
final class ScriptedEngine implements Engine, EngineLoader {
  static final String MODEL = "scripted";

  final Semaphore slowSteps = new Semaphore(0);
  final AtomicInteger stepsTaken = new AtomicInteger();

  /** Steps that paintings had when they were resumed. */
  final AtomicInteger resumedSteps = new AtomicInteger();

  final AtomicInteger open = new AtomicInteger();
  volatile int memory = Integer.MAX_VALUE;
  volatile int largestBatch;

  /** Steps of two or more that threw. */
  final AtomicInteger batchesFailed = new AtomicInteger();

  /** Decodes that find no memory from now on. */
  final AtomicInteger decodesWithoutRoom = new AtomicInteger();

  volatile boolean closed;

  @Override
  public Set<String> models() {
    return Set.of(MODEL);
  }

  @Override
  public Set<String> resident() {
    return Set.of(MODEL);
  }

  @Override
  public Optional<Engine> engine(String model, Set<String> busy) {
    return Optional.of(this);
  }

  @Override
  public String model() {
    return MODEL;
  }

  @Override
  public String modelHash() {
    return "";
  }

  @Override
  public String device() {
    return "paper";
  }

  @Override
  public String defaultScheduler() {
    return "ddim";
  }

  @Override
  public int samplesPerCall() {
    return 4;
  }

  @Override
  public Painting admit(JobSpec spec, int index, StartPictures start) {
    if (spec.prompt().equals("refuse")) {
      throw new WorkerException.Unsuitable("worker.kind", "Not this one.");
    }
    open.incrementAndGet();
    return new Scribble(spec, Engine.seed(spec, index));
  }

  @Override
  public void step(List<Painting> batch) {
    if (batch.size() > memory) {
      throw new DeviceException(DeviceException.OUT_OF_MEMORY, "no room for " + batch.size());
    }
    try {
      batch.forEach(painting -> ((Scribble) painting).check());
    } catch (RuntimeException e) {
      batchesFailed.addAndGet(batch.size() > 1 ? 1 : 0);
      throw e;
    }
    largestBatch = Math.max(largestBatch, batch.size());
    batch.forEach(painting -> ((Scribble) painting).advance());
  }

  @Override
  public PaintingState save(Painting painting) {
    Scribble scribble = (Scribble) painting;
    return new PaintingState(
        scribble.step, new float[] {scribble.seed, scribble.ink}, Optional.empty());
  }

  @Override
  public Painting resume(JobSpec spec, int index, StartPictures start, PaintingState state) {
    Scribble scribble = (Scribble) admit(spec, index, start);
    scribble.step = state.step();
    scribble.ink = (int) state.latents()[1];
    resumedSteps.addAndGet(state.step());
    return scribble;
  }

  @Override
  public Picture decode(Painting painting) {
    if (decodesWithoutRoom.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new DeviceException(DeviceException.OUT_OF_MEMORY, "no room to decode");
    }
    JobSpec spec = ((Scribble) painting).spec;
    byte[] rgb = new byte[spec.width() * spec.height() * 3];
    Arrays.fill(rgb, (byte) ((Scribble) painting).seed);
    rgb[0] = (byte) ((Scribble) painting).ink;
    rgb[1] = (byte) (((Scribble) painting).ink >> 8);
    return new Picture(spec.width(), spec.height(), rgb);
  }

  @Override
  public void close() {
    closed = true;
  }

  private final class Scribble implements Painting {
    private final JobSpec spec;
    private final long seed;
    private int step;

    /** Of 16 bits, so that a float holds it. */
    private int ink;

    Scribble(JobSpec spec, long seed) {
      this.spec = spec;
      this.seed = seed;
    }

    void check() {
      switch (spec.prompt()) {
        case "late defect" -> {
          if (step == spec.steps() / 2) {
            throw new IllegalStateException("a late defect");
          }
        }
        case "defect" -> throw new IllegalStateException("a defect");
        case "call" -> throw new DeviceException(DeviceException.FAILED, "a call failed");
        case "lost" -> throw new AssertionError("the device is lost");
        case "slow" -> slowSteps.acquireUninterruptibly();
        default -> {}
      }
    }

    void advance() {
      step++;
      ink = (ink * 31 + step) & 0xffff;
      stepsTaken.incrementAndGet();
    }

    @Override
    public int step() {
      return step;
    }

    @Override
    public int steps() {
      return spec.steps();
    }

    @Override
    public void close() {
      open.decrementAndGet();
    }
  }
}

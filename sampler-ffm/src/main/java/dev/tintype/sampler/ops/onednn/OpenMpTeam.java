package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that oneDNN computes with, lent to our own loops. A pool of Java threads beside
 * OpenMP's would compete with it for the processors, because OpenMP's threads spin for a while
 * after each primitive; running our loops on the same team makes that spinning an advantage.
 */
final class OpenMpTeam implements AutoCloseable {
  /** One task of a loop. No two tasks with the same lane run at the same time. */
  interface LaneTask {
    void run(int lane, int task);
  }

  /**
   * Loops shorter than this stay on the calling thread. Waking the team and waiting for it costs
   * some 10 us when the processors are idle, but a whole time slice of the system, milliseconds,
   * when another program has one of them.
   */
  static final long SERIAL_NANOS_MAX = 100_000;

  /** One task of a loop that needs no memory of its own. */
  interface Task {
    void run(int task);
  }

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS =
      SymbolLookup.loaderLookup().or(LINKER.defaultLookup());

  /** void omp_set_num_threads(int). */
  private static final MethodHandle SET_THREADS =
      LINKER.downcallHandle(
          SYMBOLS.findOrThrow("omp_set_num_threads"),
          FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));

  /** void GOMP_parallel(void (*fn)(void *), void *data, unsigned num_threads, unsigned flags). */
  private static final MethodHandle PARALLEL =
      LINKER.downcallHandle(
          SYMBOLS.findOrThrow("GOMP_parallel"),
          FunctionDescriptor.ofVoid(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT));

  private final Arena arena = Arena.ofShared();
  private final MemorySegment entry;
  private final int threads;
  private final AtomicInteger next = new AtomicInteger();
  private volatile int tasks;
  private final AtomicInteger nextLane = new AtomicInteger();
  private volatile LaneTask body;
  private volatile Throwable failure;

  OpenMpTeam(int threads) {
    this.threads = threads;
    try {
      MethodHandle work =
          MethodHandles.lookup()
              .findVirtual(
                  OpenMpTeam.class, "work", MethodType.methodType(void.class, MemorySegment.class))
              .bindTo(this);
      entry = LINKER.upcallStub(work, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), arena);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  int threads() {
    return threads;
  }

  /**
   * Makes the calling thread's next OpenMP regions use {@code count} threads. The setting belongs
   * to the calling thread, and callers may be virtual threads, so it is repeated before each use:
   * 10 ns.
   */
  static void setThreads(int count) {
    try {
      SET_THREADS.invokeExact(count);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Runs {@code work} for 0 .. count - 1, in any order, on the team; returns when all are done. One
   * caller at a time; not from within a task.
   *
   * @param nanos about how long one thread would need for all
   */
  void parallel(int count, double nanos, Task work) {
    parallelLanes(count, nanos, (lane, task) -> work.run(task));
  }

  /** As {@link #parallel}; lanes are 0 .. threads - 1. */
  void parallelLanes(int count, double nanos, LaneTask work) {
    if (count <= 1 || threads == 1 || nanos < SERIAL_NANOS_MAX) {
      setThreads(1);
      for (int i = 0; i < count; i++) {
        work.run(0, i);
      }
      return;
    }
    next.set(0);
    nextLane.set(0);
    tasks = count;
    body = work;
    failure = null;
    try {
      PARALLEL.invokeExact(entry, MemorySegment.NULL, Math.min(threads, count), 0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    body = null;
    if (failure != null) {
      throw new DeviceException(
          DeviceException.FAILED, "a parallel loop failed: " + failure, failure);
    }
  }

  /** Called by OpenMP on each thread of the team. An exception must not cross into C. */
  private void work(MemorySegment ignored) {
    try {
      LaneTask current = body;
      int lane = nextLane.getAndIncrement();
      int last = tasks;
      for (int i = next.getAndIncrement(); i < last; i = next.getAndIncrement()) {
        current.run(lane, i);
      }
    } catch (Throwable e) {
      failure = e;
      next.set(tasks);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}

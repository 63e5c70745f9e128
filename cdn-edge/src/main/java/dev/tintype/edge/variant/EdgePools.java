package dev.tintype.edge.variant;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.vips.VipsLibrary;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads of an edge: one pool that encodes, one that reads, one that writes what was encoded,
 * one that talks to the shared store, one thread that minds deadlines. All pools have bounded
 * queues and refuse beyond them. Platform threads, because they spend their time in native code or
 * in files, which pin carriers.
 */
final class EdgePools implements AutoCloseable {
  private static final long IDLE_S = 30;
  private static final long CLOSE_MS = 5_000;

  /** Calls to the shared store that wait; beyond it a read is a miss and a write is left out. */
  private static final int STORE_QUEUE_MAX = 256;

  /** Variants that are written to the disk at once; as many as there are encoders may wait. */
  private static final int KEEP_THREADS = 2;

  /** Purges at once; a store that hangs with one of them does not hold up the others. */
  private static final int PURGE_THREADS = 4;

  /** Purges that wait; beyond it one fails, and whoever asked for it asks again. */
  private static final int PURGE_QUEUE_MAX = 10_000;

  final ThreadPoolExecutor encode;
  final ThreadPoolExecutor keep;
  final ThreadPoolExecutor io;
  final ThreadPoolExecutor fetch;
  final ThreadPoolExecutor store;
  final ThreadPoolExecutor purge;
  final ScheduledThreadPoolExecutor deadlines;

  EdgePools(EdgeConfig config) {
    EdgeConfig.Limits limits = config.limits();
    encode = pool(config.encoder().threads(), limits.encodeQueueMax(), "edge-encode", true);
    keep = pool(KEEP_THREADS, config.encoder().threads(), "edge-keep", false);
    io = pool(limits.ioThreads(), limits.ioQueueMax(), "edge-io", false);
    fetch = pool(limits.ioThreads(), limits.ioQueueMax(), "edge-fetch", false);
    store = pool(limits.ioThreads(), STORE_QUEUE_MAX, "edge-store", false);
    purge = pool(PURGE_THREADS, PURGE_QUEUE_MAX, "edge-purge", false);
    deadlines = new ScheduledThreadPoolExecutor(1, threads("edge-deadline", false));
    deadlines.setRemoveOnCancelPolicy(true);
    deadlines.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  private static ThreadPoolExecutor pool(int threads, int queueMax, String name, boolean vips) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE_S,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(queueMax),
            threads(name, vips));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  private static ThreadFactory threads(String name, boolean vips) {
    AtomicInteger count = new AtomicInteger();
    return task ->
        Thread.ofPlatform()
            .daemon(true)
            .name(name + "-" + count.incrementAndGet())
            .unstarted(vips ? () -> withVips(task) : task);
  }

  /** libvips keeps buffers per thread, which a thread that ends must give back itself. */
  private static void withVips(Runnable task) {
    try {
      task.run();
    } finally {
      VipsLibrary.endThread();
    }
  }

  @Override
  public void close() {
    deadlines.shutdownNow();
    io.shutdownNow();
    fetch.shutdownNow();
    store.shutdownNow();
    purge.shutdownNow();
    encode.shutdownNow();
    try {
      // A native call cannot be interrupted; its thread is given time, and is a daemon if it takes
      // longer.
      encode.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS);
      // Nothing new comes after the encoders; what was sent is kept for the next start.
      keep.shutdown();
      keep.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS);
      io.awaitTermination(CLOSE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      keep.shutdownNow();
    }
  }
}

package dev.tintype.perf.queue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.node.NodeException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What clients who each do one thing after the other saw together.
 *
 * @param perSecond operations a second, all clients together
 * @param p50Ms median time of one, ms
 * @param p99Ms 99th percentile, ms
 */
record Load(double perSecond, double p50Ms, double p99Ms) {
  private static final double NS_PER_MS = 1e6;
  private static final double NS_PER_S = 1e9;

  /** One operation of one client, again and again. */
  @FunctionalInterface
  interface Client {
    /**
     * @param number of the client's own operation, from 0
     */
    void run(long number) throws Exception;
  }

  /** Makes the client of that number, which only one thread uses. */
  @FunctionalInterface
  interface Clients {
    Client of(int client) throws Exception;
  }

  /**
   * Runs so many clients for that long; a part of it at the start is not counted. A client that did
   * nothing in that time ends with its first operation.
   */
  static Load run(int count, Duration time, Clients clients) throws InterruptedException {
    long warmNs = time.toNanos() / 5;
    CountDownLatch ready = new CountDownLatch(count);
    CountDownLatch go = new CountDownLatch(1);
    List<Future<long[]>> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
      for (int i = 0; i < count; i++) {
        int number = i;
        all.add(
            threads.submit(
                () -> {
                  Client client = clients.of(number);
                  ready.countDown();
                  go.await();
                  return one(client, warmNs, time.toNanos());
                }));
      }
      ready.await();
      go.countDown();
      long[] times = all.stream().map(Load::got).flatMapToLong(Arrays::stream).sorted().toArray();
      return of(times, (time.toNanos() - warmNs) / NS_PER_S);
    }
  }

  private static long[] one(Client client, long warmNs, long endNs) throws Exception {
    long[] times = new long[1024];
    int count = 0;
    long start = System.nanoTime();
    long now = start;
    for (long number = 0; now - start < endNs || count == 0; number++) {
      client.run(number);
      long after = System.nanoTime();
      if (now - start >= warmNs && (after - start <= endNs || count == 0)) {
        if (count == times.length) {
          times = Arrays.copyOf(times, 2 * count);
        }
        times[count++] = after - now;
      }
      now = after;
    }
    return Arrays.copyOf(times, count);
  }

  private static long[] got(Future<long[]> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeException.Start("bench.interrupted", "Interrupted.", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /**
   * @param sortedNs times of operations, ascending
   * @param seconds in which they were done
   */
  static Load of(long[] sortedNs, double seconds) {
    if (sortedNs.length == 0) {
      throw new NodeException.Start(
          "bench.short", "Nothing was done in the time given; give more with --seconds.");
    }
    return new Load(sortedNs.length / seconds, at(sortedNs, 0.5), at(sortedNs, 0.99));
  }

  private static double at(long[] sortedNs, double part) {
    return sortedNs[(int) Math.min(sortedNs.length - 1L, Math.round(sortedNs.length * part))]
        / NS_PER_MS;
  }

  void into(ObjectNode json) {
    json.put("per_s", Math.round(perSecond))
        .put("p50_ms", short3(p50Ms))
        .put("p99_ms", short3(p99Ms));
  }

  /** Three significant digits: more would be the noise of the machine. */
  static double short3(double value) {
    return new BigDecimal(value).round(new MathContext(3)).doubleValue();
  }
}

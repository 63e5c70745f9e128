package dev.tintype.edge.http;

import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.url.ImageFormat;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A shared store in memory, which can be broken or hang. */
final class MapVariants implements SharedVariants {
  final Map<String, byte[]> kept = new ConcurrentHashMap<>();
  final AtomicInteger reads = new AtomicInteger();
  volatile boolean broken;
  volatile CountDownLatch gate = new CountDownLatch(0);

  private void check() throws IOException {
    if (broken) {
      throw new IOException("the bucket is gone");
    }
    try {
      if (!gate.await(60, TimeUnit.SECONDS)) {
        throw new IOException("the test never let go");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public Optional<byte[]> get(String sha256, String id) throws IOException {
    reads.incrementAndGet();
    check();
    return Optional.ofNullable(kept.get(sha256 + "/" + id));
  }

  @Override
  public void put(String sha256, String id, ImageFormat format, byte[] bytes) throws IOException {
    check();
    kept.put(sha256 + "/" + id, bytes.clone());
  }

  @Override
  public void forget(String sha256) throws IOException {
    check();
    kept.keySet().removeIf(key -> key.startsWith(sha256));
  }
}

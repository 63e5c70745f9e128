package dev.tintype.node;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what was opened, the last first, whatever any of it says. */
final class Closers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Closers.class);

  private record Named(String name, AutoCloseable part) {}

  private final Deque<Named> parts = new ArrayDeque<>();

  synchronized <T extends AutoCloseable> T add(String name, T part) {
    parts.push(new Named(name, part));
    return part;
  }

  @Override
  public synchronized void close() {
    while (!parts.isEmpty()) {
      Named next = parts.pop();
      try {
        next.part().close();
      } catch (Exception e) {
        LOG.warn("{} did not close: {}", next.name(), e.toString());
      }
    }
  }
}

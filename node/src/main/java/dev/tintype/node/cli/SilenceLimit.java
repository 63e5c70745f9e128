package dev.tintype.node.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer that must go on: after so long without a byte it is closed, and the read
 * that waits fails. (The time-out of the JDK's client ends with the headers.)
 */
final class SilenceLimit extends FilterInputStream {
  private final Duration most;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile long heardNanos = System.nanoTime();
  private volatile boolean silent;

  SilenceLimit(InputStream in, Duration most) {
    super(in);
    this.most = most;
    Thread.ofVirtual().name("silence-limit").start(this::watch);
  }

  private void watch() {
    try {
      while (true) {
        long left = heardNanos + most.toNanos() - System.nanoTime();
        if (left <= 0) {
          silent = true;
          in.close();
          return;
        }
        if (closed.await(left, TimeUnit.NANOSECONDS)) {
          return;
        }
      }
    } catch (IOException e) {
      // The read that waits fails all the same.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    try {
      int read = super.read(to, offset, length);
      heardNanos = System.nanoTime();
      return read;
    } catch (IOException e) {
      throw silent ? new IOException("nothing was heard for " + most.toMillis() + " ms", e) : e;
    }
  }

  @Override
  public void close() throws IOException {
    closed.countDown();
    super.close();
  }
}

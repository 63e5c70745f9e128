package dev.tintype.queue.embedded;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A process for tests to kill: starts the server, prints its pid, and waits. */
final class StartAndWait {
  private StartAndWait() {}

  public static void main(String[] arguments) throws InterruptedException {
    EmbeddedPostgres server = EmbeddedPostgres.start(Path.of(arguments[0]));
    System.out.println(server.process().pid());
    new CountDownLatch(1).await();
  }
}

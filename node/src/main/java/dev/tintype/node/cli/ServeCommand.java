package dev.tintype.node.cli;

import dev.tintype.node.Logs;
import dev.tintype.node.Node;
import dev.tintype.node.NodeConfig;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs roles until told to stop. */
@Command(
    name = "serve",
    description = "Serves the page, the API and the pictures on http://localhost:8080.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "SIGTERM and Ctrl-C stop it gently: no new jobs, pictures in the making are finished or given"
          + " back.",
      "",
      "Examples:",
      "  tintype serve",
      "  tintype serve --port 9000 --data /var/lib/tintype",
      "  tintype serve --roles gateway,edge --config tintype.properties",
      "  tintype serve --roles relay --config fleet.yaml"
    })
final class ServeCommand implements Callable<Integer> {
  /** What a stop may take beside the pictures in the making: workers, streams, the database. */
  private static final Duration STOP_MAX = Duration.ofSeconds(90);

  @Mixin NodeOptions options;

  @Option(
      names = "--roles",
      paramLabel = "LIST",
      description = "gateway, worker, relay, edge, queue, or all (env TINTYPE_ROLES; default all).")
  String roles;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description =
          "Address to listen on (env TINTYPE_HOST; default localhost; 0.0.0.0: everybody).")
  String host;

  @Option(
      names = "--public-url",
      paramLabel = "URL",
      description = "Origin in the pictures' URLs (env TINTYPE_PUBLIC_URL).")
  String publicUrl;

  @Option(names = "--json", description = "Startup lines as JSON, one object per line.")
  boolean json;

  @Override
  public Integer call() throws InterruptedException {
    Logs.console(Level.WARNING);
    NodeConfig config =
        options
            .reader()
            .flag("roles", roles)
            .flag("host", host)
            .flag("public_url", publicUrl)
            .read();
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    AtomicReference<Thread> opening = new AtomicReference<>(Thread.currentThread());
    Thread hook =
        new Thread(
            () -> {
              stop.countDown();
              Optional.ofNullable(opening.getAndSet(null)).ifPresent(Thread::interrupt);
              try {
                stopped.await(STOP_MAX.plus(config.drain()).toSeconds(), TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    Startup startup = new Startup(json);
    try (Node node = Node.open(config, startup::tell, stop::countDown)) {
      if (opening.getAndSet(null) == null) {
        Thread.interrupted(); // It came too late for the opening.
      } else {
        startup.ready(node.url());
      }
      stop.await();
      startup.stopping();
      node.drain();
      return node.broken() ? Tintype.FAILED : 0;
    } catch (RuntimeException e) {
      if (stop.getCount() == 0 && opening.get() == null) {
        System.out.println("Stopped before it was ready.");
        return Tintype.INTERRUPTED;
      }
      throw e;
    } finally {
      stopped.countDown();
    }
  }

  /** The lines that a person reads while it starts. */
  private static final class Startup {
    private final boolean json;
    private final long began = System.nanoTime();

    Startup(boolean json) {
      this.json = json;
    }

    void tell(String part, String found) {
      if (json) {
        System.out.println(ApiClient.object().put("part", part).put("found", found));
      } else {
        System.out.printf("  %-8s %s%n", part, found);
      }
    }

    void ready(String url) {
      long tookMs = (System.nanoTime() - began) / 1_000_000;
      if (json) {
        System.out.println(ApiClient.object().put("ready", url).put("took_ms", tookMs));
      } else {
        System.out.printf("Ready after %.1f s: %s%n", tookMs / 1e3, url);
      }
      System.out.flush();
    }

    void stopping() {
      if (!json) {
        System.out.println("Stopping: pictures in the making are finished or given back.");
      }
    }
  }
}

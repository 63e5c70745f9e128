package dev.tintype.node.cli;

import dev.tintype.node.Logs;
import dev.tintype.node.Node;
import dev.tintype.node.NodeConfig;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
    Startup startup = new Startup(json);
    Stop stop = new Stop(Thread.currentThread(), STOP_MAX.plus(config.drain()));
    Runtime.getRuntime().addShutdownHook(new Thread(stop::fromOutside, "stop"));
    try (Node node = Node.open(config, startup::tell, stop::ask)) {
      if (stop.opened()) {
        startup.ready(node.url());
      }
      stop.await();
      startup.stopping();
      node.drain();
      return node.broken() ? Tintype.FAILED : 0;
    } catch (RuntimeException e) {
      if (stop.cutShort()) {
        System.out.println("Stopped before it was ready.");
        return Tintype.INTERRUPTED;
      }
      throw e;
    } finally {
      stop.done();
    }
  }

  /** A stop that may be asked for at any time, also while the model is still loaded. */
  private static final class Stop {
    private final Thread opener;
    private final Duration patience;
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private boolean opening = true;
    private boolean cutShort;

    Stop(Thread opener, Duration patience) {
      this.opener = opener;
      this.patience = patience;
    }

    void ask() {
      asked.countDown();
    }

    /** By SIGTERM or Ctrl-C: the process ends when this returns. */
    void fromOutside() {
      ask();
      synchronized (this) {
        if (opening) {
          cutShort = true;
          opener.interrupt();
        }
      }
      try {
        done.await(patience.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** From now on nobody is interrupted. False where the stop came first, and just too late. */
    synchronized boolean opened() {
      opening = false;
      if (cutShort) {
        Thread.interrupted();
      }
      return !cutShort;
    }

    /** The opening was interrupted. */
    synchronized boolean cutShort() {
      return opening && cutShort;
    }

    void await() throws InterruptedException {
      asked.await();
    }

    void done() {
      done.countDown();
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

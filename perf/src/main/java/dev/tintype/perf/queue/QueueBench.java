package dev.tintype.perf.queue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.node.Logs;
import dev.tintype.node.NodeException;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The durable queue beside bare SQL, against a PostgreSQL of its own with fsync on. */
@Command(
    name = "queue",
    description =
        "Submissions and dispatch of the durable queue beside bare INSERT and SKIP LOCKED.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "One run, one PostgreSQL with fsync on, all stages in turn. The exit code is 1 where a bar is"
          + " missed:",
      "3,000 durable submissions a second with p99 below 50 ms, dispatch below 5 ms (median).",
      "",
      "Examples:",
      "  tintype bench queue",
      "  tintype bench queue --clients 64 --seconds 10 --json"
    })
public final class QueueBench implements Callable<Integer> {
  private static final String MODEL = "tintype-mini";
  private static final String TIER = "enterprise";
  private static final double SUBMITS_BAR = 3_000;
  private static final double P99_MS_BAR = 50;
  private static final double DISPATCH_MS_BAR = 5;
  private static final int WORKERS = 8;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "8",
      description = "Of each stage, 1 to 600 (default ${DEFAULT-VALUE}); a fifth of it warms up.")
  int seconds;

  @Option(
      names = "--clients",
      paramLabel = "N",
      defaultValue = "32",
      description = "Clients at once, each a user, 1 to 150 (default ${DEFAULT-VALUE}).")
  int clients;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "16",
      description = "Connections to the database, 1 to 100 (default ${DEFAULT-VALUE}).")
  int connections;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where the database is made and removed again (default: the temporary folder).")
  Path data;

  @Option(names = "--json", description = "Only the JSON; it is the last line in any case.")
  boolean json;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Writes the JSON to a file too, indented.")
  Path save;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Logs.console(Level.WARNING);
    range("--seconds", seconds, 1, 600);
    range("--clients", clients, 1, 150);
    range("--connections", connections, 1, 100);
    Path folder =
        data == null
            ? Files.createTempDirectory("tintype-bench-queue")
            : Files.createTempDirectory(data, "tintype-bench-queue");
    try (EmbeddedPostgres server = EmbeddedPostgres.start(folder.resolve("postgres"))) {
      return report(measure(server.config(), folder));
    } finally {
      delete(folder);
    }
  }

  private static void range(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw new NodeException.Config(
          "cli.usage", option + " is from " + min + " to " + max + "; found " + value + ".");
    }
  }

  private record Results(
      Load insert, Load submit, Load http, Load take, Load drain, Load alone, Load keyed) {}

  private Results measure(PostgresConfig server, Path folder) throws InterruptedException {
    PostgresConfig config =
        new PostgresConfig(
            server.url(),
            server.user(),
            server.password(),
            connections,
            Duration.ofSeconds(30),
            server.statementTimeout(),
            server.lockTimeout());
    Duration time = Duration.ofSeconds(seconds);
    SecureRandom random = new SecureRandom();
    try (Database database = Database.open(config);
        PostgresSignals signals = PostgresSignals.start(database, random)) {
      PostgresAccountStore accounts = new PostgresAccountStore(database, random);
      List<String> keys = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        accounts.createUser("user-" + i, TIER, false);
        keys.add(accounts.createKey("user-" + i, "bench"));
      }
      PostgresJobStore store =
          new PostgresJobStore(database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), random);
      BareQueue bare = new BareQueue(database);
      Dispatch dispatch = new Dispatch(store, accounts, signals, MODEL);
      tell("dispatch of one job at a time");
      Load alone = dispatch.alone(time, () -> submit(store, 0, "alone", System.nanoTime(), false));
      tell("bare INSERT, " + clients + " clients on " + connections + " connections");
      Load insert = bare.insert(clients, time, spec("bare", 1).toJson());
      tell("submissions to the store");
      Load submit =
          Load.run(clients, time, client -> number -> submit(store, client, "s", number, false));
      tell("submissions with an Idempotency-Key");
      Load keyed =
          Load.run(clients, time, client -> number -> submit(store, client, "k", number, true));
      tell("bare SKIP LOCKED");
      Load take = bare.take(WORKERS, time);
      tell("lease, start and finish through relay and transport, " + WORKERS + " workers");
      Load drain = dispatch.drain(WORKERS, time);
      tell("submissions over HTTP");
      try (HttpSubmits http = new HttpSubmits(database, store, accounts, signals, MODEL, folder)) {
        return new Results(insert, submit, http.run(keys, time), take, drain, alone, keyed);
      }
    }
  }

  private static JobSpec spec(String prompt, long seed) {
    return JobSpec.builder(MODEL, "a lighthouse at night " + prompt)
        .seed(seed % (1L << 32))
        .build();
  }

  private static void submit(
      PostgresJobStore store, int client, String kind, long number, boolean keyed) {
    String name = kind + "-" + client + "-" + number;
    SubmitRequest request =
        new SubmitRequest(
            "user-" + client,
            TIER,
            spec(name, number),
            keyed ? Optional.of(name) : Optional.empty(),
            name,
            false,
            Optional.empty(),
            100);
    if (!(store.submit(request) instanceof SubmitResult.Accepted)) {
      throw new NodeException.Start(
          "bench.lost", "A submission was refused; fewer seconds or more --clients may help.");
    }
  }

  private int report(Results results) throws IOException {
    ObjectNode result = new ObjectMapper().createObjectNode();
    result
        .put("bench", "queue")
        .put("date", LocalDate.now().toString())
        .put("cores", Runtime.getRuntime().availableProcessors())
        .put("postgres", EmbeddedPostgres.VERSION)
        .put("clients", clients)
        .put("connections", connections)
        .put("submit_per_s", Math.round(results.submit.perSecond()))
        .put("submit_p99_ms", Load.short3(results.submit.p99Ms()))
        .put("http_submit_per_s", Math.round(results.http.perSecond()))
        .put("dispatch_p50_ms", Load.short3(results.alone.p50Ms()))
        .put("dispatch_p99_ms", Load.short3(results.alone.p99Ms()))
        .put(
            "submit_vs_bare", Load.short3(results.submit.perSecond() / results.insert.perSecond()));
    ObjectNode stages = result.putObject("stages");
    print("bare INSERT", "insert", results.insert, stages);
    print("submit", "submit", results.submit, stages);
    print("submit with a key", "submit_keyed", results.keyed, stages);
    print("submit over HTTP", "submit_http", results.http, stages);
    print("bare SKIP LOCKED", "take", results.take, stages);
    print("lease, start, finish", "drain", results.drain, stages);
    print("dispatch alone", "dispatch", results.alone, stages);
    if (save != null) {
      Files.writeString(save, result.toPrettyString() + "\n");
    }
    System.out.println(result);
    boolean good =
        results.submit.perSecond() >= SUBMITS_BAR
            && results.submit.p99Ms() < P99_MS_BAR
            && results.alone.p50Ms() < DISPATCH_MS_BAR;
    return good ? 0 : 1;
  }

  private void print(String name, String key, Load load, ObjectNode stages) {
    load.into(stages.putObject(key));
    if (!json) {
      System.out.printf(
          "%-22s %8.0f /s   p50 %8.2f ms   p99 %8.2f ms%n",
          name, load.perSecond(), load.p50Ms(), load.p99Ms());
    }
  }

  private void tell(String what) {
    if (!json) {
      System.err.println("bench: " + what);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    }
  }
}

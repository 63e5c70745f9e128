package dev.tintype.perf.fleet;

import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.JavaCommand;
import dev.tintype.servers.KafkaServer;
import dev.tintype.servers.Readiness;
import dev.tintype.servers.RedisServer;
import dev.tintype.servers.S3Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.BiConsumer;

/**
 * The processes of a fleet by name: {@code kafka}, {@code redis}, {@code s3}, {@code gateway-1} and
 * so on. Each may be killed and started again on the same port at any time; what it needs to find
 * again lies in the plan's folder. PostgreSQL is a child of this process, which starts it again on
 * its port when it dies.
 */
public final class Fleet implements AutoCloseable {
  private static final Duration NODE_START_MAX = Duration.ofSeconds(120);
  private static final int REDIS_MB = 64;
  private static final int NODE_HEAP_MB = 160;
  private static final int WORKER_HEAP_MB = 256;
  private static final String BUCKET = "tintype";

  private final FleetPlan plan;
  private final Lines lines;
  private final Map<String, ChildProcess> processes = new LinkedHashMap<>();
  private final List<String> gatewayUrls = new ArrayList<>();
  private final List<String> edgeUrls = new ArrayList<>();
  private Optional<EmbeddedPostgres> postgres = Optional.empty();

  public Fleet(FleetPlan plan) {
    this(plan, Lines.STRAIGHT);
  }

  /**
   * @param lines between the roles and the servers
   */
  public Fleet(FleetPlan plan, Lines lines) {
    this.plan = plan;
    this.lines = lines;
  }

  /**
   * Starts what does not run: servers first, then the roles, all of a kind at once.
   *
   * @param teller told a name and where it is, one line each
   */
  public Fleet start(BiConsumer<String, String> teller) {
    try {
      Files.createDirectories(plan.folder());
      servers(teller);
      roles();
      startAll("gateway-1"); // Alone: it makes the tables and the first key.
      teller.accept("gateway-1", gatewayUrls.getFirst());
      startAll("relay", "worker", "edge", "gateway");
      gatewayUrls.stream().skip(1).forEach(url -> teller.accept("gateway", url));
      edgeUrls.forEach(url -> teller.accept("edge", url));
      teller.accept("workers", plan.workers() + " with tintype-mini, " + plan.relays() + " relays");
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void servers(BiConsumer<String, String> teller) {
    Path servers = plan.folder().resolve("servers");
    List<Integer> ports = ports("servers", 4);
    add(RedisServer.of("redis", servers, ports.get(0), REDIS_MB));
    // Clients are told by the broker where it is.
    int kafka = lines.to("kafka", ports.get(1));
    add(
        KafkaServer.of(
            "kafka",
            servers,
            ports.get(1),
            ports.get(2),
            Map.of("advertised.listeners", "PLAINTEXT://127.0.0.1:" + kafka)));
    add(S3Server.of("s3", servers, ports.get(3), BUCKET, secret("s3-secret")));
    for (String name : List.of("redis", "kafka", "s3")) {
      processes.get(name).start();
    }
    EmbeddedPostgres database = EmbeddedPostgres.start(plan.folder().resolve("postgres"));
    postgres = Optional.of(database);
    teller.accept("postgres", database.config().url());
    startAll("redis", "kafka", "s3");
    teller.accept("kafka", "127.0.0.1:" + ports.get(1));
    teller.accept("redis", "redis://127.0.0.1:" + ports.get(0));
    teller.accept("s3", "http://127.0.0.1:" + ports.get(3) + "/" + BUCKET);
    writeConfig(kafka, lines.to("redis", ports.get(0)), lines.to("s3", ports.get(3)));
  }

  private void roles() {
    List<Integer> ports =
        ports("roles", plan.gateways() + plan.workers() + plan.relays() + plan.edges());
    int next = 0;
    for (int i = 1; i <= plan.edges(); i++) {
      edgeUrls.add("http://localhost:" + ports.get(next));
      node("edge-" + i, "edge", ports.get(next++), NODE_HEAP_MB);
    }
    for (int i = 1; i <= plan.gateways(); i++) {
      gatewayUrls.add("http://localhost:" + ports.get(next));
      node("gateway-" + i, "gateway", ports.get(next++), NODE_HEAP_MB);
    }
    for (int i = 1; i <= plan.relays(); i++) {
      node("relay-" + i, "relay", ports.get(next++), NODE_HEAP_MB);
    }
    for (int i = 1; i <= plan.workers(); i++) {
      node("worker-" + i, "worker", ports.get(next++), WORKER_HEAP_MB);
    }
  }

  private void node(String name, String role, int port, int heapMb) {
    Path data = plan.folder().resolve(name);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "serve",
                "--json",
                "--config",
                config().toString(),
                "--roles",
                role,
                "--port",
                Integer.toString(port),
                "--data",
                data.toString(),
                "--device",
                "cpu"));
    if (role.equals("gateway")) {
      arguments.addAll(List.of("--public-url", edgeUrls.getFirst()));
    }
    PostgresConfig database = postgres.orElseThrow().config();
    add(
        new ChildProcess(
            name,
            plan.folder().resolve("logs"),
            JavaCommand.of(heapMb, options(role), "dev.tintype.node.Main", arguments),
            Map.of(
                "TINTYPE_DATABASE_URL", databaseUrl(database),
                "TINTYPE_DATABASE_USER", database.user(),
                "TINTYPE_DATABASE_PASSWORD", database.password(),
                "OMP_NUM_THREADS", "1",
                "MALLOC_ARENA_MAX", "2"),
            Readiness.http("http://localhost:" + port + "/healthz"),
            NODE_START_MAX));
  }

  private List<String> options(String role) {
    List<String> options = new ArrayList<>(JavaCommand.TINTYPE);
    options.add("-Dtintype.home=" + plan.home());
    if (!role.equals("worker")) {
      options.addAll(JavaCommand.LIGHT);
    }
    return options;
  }

  private String databaseUrl(PostgresConfig database) {
    URI address = URI.create(database.url().substring("jdbc:".length()));
    return database
        .url()
        .replace(
            ":" + address.getPort() + "/", ":" + lines.to("postgres", address.getPort()) + "/");
  }

  private Path config() {
    return plan.folder().resolve("fleet.yaml");
  }

  private void writeConfig(int kafka, int redis, int s3) {
    String text =
        """
        # Made by tintype demo-fleet. The database's address and password come from the environment.
        model: tintype-mini
        transport: kafka
        kafka:
          bootstrap: 127.0.0.1:%d
        redis:
          url: redis://127.0.0.1:%d
        s3:
          endpoint: http://127.0.0.1:%d
          bucket: %s
          access_key: %s
          secret_key: file:%s
        relay:
          slots: %d
        edge:
          keys: k1:%s
        """
            .formatted(
                kafka,
                redis,
                s3,
                BUCKET,
                S3Server.ACCESS_KEY,
                plan.folder().resolve("s3-secret"),
                4 * plan.workers(),
                secret("edge-key"));
    try {
      Files.deleteIfExists(config());
      Files.createFile(
          config(),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(config(), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(ChildProcess process) {
    processes.put(process.name(), process);
  }

  /** Starts those whose names begin so, then waits for all of them. */
  private void startAll(String... beginnings) {
    List<ChildProcess> chosen =
        processes.values().stream()
            .filter(
                process ->
                    List.of(beginnings).stream()
                        .anyMatch(beginning -> process.name().startsWith(beginning)))
            .toList();
    chosen.forEach(ChildProcess::start);
    chosen.forEach(ChildProcess::awaitReady);
  }

  /** Start, kill or stop it through this. */
  public ChildProcess process(String name) {
    return Optional.ofNullable(processes.get(name))
        .orElseThrow(() -> new IllegalArgumentException("The fleet has no " + name));
  }

  /** Names of all processes but PostgreSQL, in the order of their starts. */
  public List<String> names() {
    return List.copyOf(processes.keySet());
  }

  /** kill -9 to PostgreSQL, which is started again by this process. */
  public void killPostgres() {
    postgres.orElseThrow().process().destroyForcibly();
  }

  /** Origins of the gateways. */
  public List<String> gateways() {
    return List.copyOf(gatewayUrls);
  }

  /** Origins of the edges. */
  public List<String> edges() {
    return List.copyOf(edgeUrls);
  }

  /** The key that the first gateway made at the very first start. */
  public String apiKey() {
    try {
      return Files.readString(plan.folder().resolve("gateway-1").resolve("api-key")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same ports at every start, so that URLs stay good. */
  private List<Integer> ports(String name, int count) {
    Path file = plan.folder().resolve("ports.properties");
    Properties kept = new Properties();
    try {
      if (Files.exists(file)) {
        try (var reader = Files.newBufferedReader(file)) {
          kept.load(reader);
        }
      }
      List<Integer> ports =
          List.of(kept.getProperty(name, "").split(",")).stream()
              .filter(port -> port.matches("[0-9]{1,5}"))
              .map(Integer::valueOf)
              .toList();
      if (ports.size() == count) {
        return ports;
      }
      List<Integer> fresh = FreePorts.several(count);
      kept.setProperty(name, String.join(",", fresh.stream().map(String::valueOf).toList()));
      try (var writer = Files.newBufferedWriter(file)) {
        kept.store(writer, null);
      }
      return fresh;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Made once and kept beside the settings, mode 600. */
  private String secret(String name) {
    Path file = plan.folder().resolve(name);
    try {
      if (!Files.exists(file)) {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, HexFormat.of().formatHex(bytes));
      }
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Stops the roles gently and at once, then the servers. */
  @Override
  public void close() {
    try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      processes.values().stream()
          .filter(process -> process.name().contains("-"))
          .forEach(process -> threads.submit(process::stop));
    }
    for (String name : List.of("kafka", "s3", "redis")) {
      Optional.ofNullable(processes.get(name)).ifPresent(ChildProcess::kill);
    }
    postgres.ifPresent(EmbeddedPostgres::close);
    postgres = Optional.empty();
  }
}

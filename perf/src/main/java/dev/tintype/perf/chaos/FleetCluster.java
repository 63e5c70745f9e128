package dev.tintype.perf.chaos;

import dev.tintype.perf.fleet.Fleet;
import dev.tintype.perf.fleet.FleetPlan;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.ServerException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Every role in processes of its own over real Kafka, Redis, S3 and PostgreSQL. A line before each
 * of those servers, which all roles share, and one before the gateways, which spreads clients over
 * those that are alive.
 */
final class FleetCluster implements Cluster {
  /** Each of them waits for the database for a while. */
  private static final int STARTS_MAX = 10;

  private static final String POSTGRES = "postgres";
  private static final String CLIENTS = "clients";

  private final Map<String, FaultyProxy> proxies = new ConcurrentHashMap<>();
  private final Fleet fleet;

  /** By process, held while it is killed and started. */
  private final Map<String, Object> locks = new ConcurrentHashMap<>();

  FleetCluster(Path folder) {
    Path home = Path.of(System.getProperty("tintype.home", "."));
    proxies.put(CLIENTS, new FaultyProxy(CLIENTS));
    fleet = new Fleet(new FleetPlan(folder, home, 2, 2, 2, 1), this::line);
    try {
      fleet.start((name, where) -> {});
      proxies
          .get(CLIENTS)
          .to(fleet.gateways().stream().mapToInt(url -> URI.create(url).getPort()).toArray());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private int line(String server, int port) {
    FaultyProxy proxy = proxies.computeIfAbsent(server, FaultyProxy::new);
    proxy.to(port);
    return proxy.port();
  }

  @Override
  public String origin() {
    return "http://127.0.0.1:" + proxies.get(CLIENTS).port();
  }

  @Override
  public String pictures() {
    return fleet.edges().getFirst();
  }

  @Override
  public String apiKey() {
    return fleet.apiKey();
  }

  @Override
  public List<String> killable() {
    return Stream.concat(fleet.names().stream(), Stream.of(POSTGRES)).toList();
  }

  /** Servers may stand still too; PostgreSQL is many processes, its line stands for them. */
  @Override
  public List<String> pausable() {
    return fleet.names();
  }

  @Override
  public List<String> lines() {
    return proxies.keySet().stream().sorted().toList();
  }

  @Override
  public void kill(String target) {
    if (target.equals(POSTGRES)) {
      fleet.killPostgres();
    } else {
      synchronized (locks.computeIfAbsent(target, name -> new Object())) {
        fleet.process(target).kill();
        startAgain(target);
      }
    }
  }

  /**
   * As a service manager does: a role whose database goes away while it starts ends, with a code,
   * and is started again.
   */
  private void startAgain(String target) {
    ChildProcess process = fleet.process(target);
    for (int tries = 1; ; tries++) {
      try {
        process.start().awaitReady();
        return;
      } catch (ServerException e) {
        if (process.running() || tries == STARTS_MAX) {
          throw e;
        }
      }
    }
  }

  @Override
  public void pause(String target) {
    fleet.process(target).pid().ifPresent(pid -> Signals.send("STOP", pid));
  }

  @Override
  public void resume(String target) {
    fleet.process(target).pid().ifPresent(pid -> Signals.send("CONT", pid));
  }

  @Override
  public void line(String target, FaultyProxy.Line line) {
    proxies.get(target).set(line);
  }

  @Override
  public List<String> revive() {
    List<String> ended =
        fleet.names().stream().filter(name -> !fleet.process(name).running()).toList();
    ended.forEach(this::startAgain);
    return ended;
  }

  @Override
  public void close() {
    fleet.close();
    proxies.values().forEach(FaultyProxy::close);
  }
}

package dev.tintype.node;

import dev.tintype.gateway.AdmissionRule;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.node.http.TlsConfig;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.sweep.SweepConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The settings of one process. {@link SettingsReader} makes it from flags, environment and file.
 *
 * @param data folder of everything that is kept; default {@code ./data}
 * @param host address to listen on; default {@code localhost}: nobody outside reaches a new server
 * @param port to listen on, 0 for a free one; default 8080
 * @param roles what the process does; default all
 * @param models folder of model folders; default {@code models} beside the program
 * @param model the one that is served; empty, the default: all on the shelf, the first loaded at
 *     the start and the others when jobs ask for them
 * @param device {@code auto}, {@code cpu}, {@code cuda} (one of several: {@code cuda:NUMBER},
 *     {@code cuda:UUID}) or {@code reference}; default auto
 * @param deterministic pictures do not depend on what shares their batch, bit for bit; on a GPU
 *     they are then stepped one by one. Default false; the CPU is always so
 * @param publicUrl origin in the pictures' URLs; default {@code http://localhost:PORT}
 * @param drain how long a stop waits for pictures in the making; default 20 s
 * @param batch pictures stepped together; 0, the default, is the device's own figure
 * @param checkpointSteps steps that a lost worker costs at most; 0: it costs them all. Default 10
 * @param memoryBytes for the weights of all models that the worker has loaded at a time; empty, the
 *     default: three quarters of the GPU's memory, or half of the machine's
 * @param databaseUrl of a PostgreSQL that this process does not run; needed without the role queue
 * @param databaseUser its role
 * @param databasePassword never logged
 * @param edge settings starting with {@code edge.}, checked by the edge
 * @param fleet servers shared with other processes; default none
 * @param admission whether a job is refused that may wait for longer than its tier's bound; default
 *     open
 * @param tiers all the tiers there are; empty, the default: those of the database stay
 * @param tls certificate of the server; empty: clear text
 * @param rates what a user may send
 * @param databaseConnections that this process keeps open at most; default 10
 * @param startWait how long a start waits for a database that is away; zero: not at all. Default
 *     120 s
 * @param sweep when stored pictures that nothing names go, and old ones become cold
 */
public record NodeConfig(
    Path data,
    String host,
    int port,
    Set<Role> roles,
    Path models,
    Optional<String> model,
    String device,
    boolean deterministic,
    Optional<String> publicUrl,
    Duration drain,
    int batch,
    int checkpointSteps,
    OptionalLong memoryBytes,
    Optional<String> databaseUrl,
    String databaseUser,
    String databasePassword,
    Map<String, String> edge,
    FleetConfig fleet,
    AdmissionRule admission,
    Optional<List<Tier>> tiers,
    SweepConfig sweep,
    Optional<TlsConfig> tls,
    GatewayConfig.Rates rates,
    int databaseConnections,
    Duration startWait) {
  public NodeConfig {
    roles = Set.copyOf(roles);
    edge = Map.copyOf(edge);
    if (roles.isEmpty()) {
      throw new NodeException.Config("config.roles", "A process has at least one role.");
    }
    if (roles.contains(Role.RELAY) && !roles.contains(Role.WORKER) && fleet.kafka().isEmpty()) {
      throw new NodeException.Config(
          "config.transport",
          "A relay in a process of its own reaches workers through Kafka: set transport = kafka and"
              + " kafka.bootstrap, or leave the role relay out (a worker brings its own).");
    }
    if (!roles.contains(Role.QUEUE) && databaseUrl.isEmpty() && needsStore(roles)) {
      throw new NodeException.Config(
          "config.database",
          "Without the role queue this process needs database.url, such as"
              + " jdbc:postgresql://db:5432/tintype.");
    }
    if (admission == AdmissionRule.BOUND
        && roles.contains(Role.GATEWAY)
        && !seesWorkers(roles, fleet)) {
      throw new NodeException.Config(
          "config.admission",
          "admission = bound counts the workers, and those of a fleet are seen through Redis: set"
              + " redis.url, or admission = open.");
    }
    if (roles.contains(Role.GATEWAY)
        && !roles.contains(Role.EDGE)
        && !edge.containsKey("edge.keys")) {
      throw new NodeException.Config(
          "config.edge_keys",
          "A gateway without an edge in its process signs links that another process checks: set"
              + " the same edge.keys for both, such as k1: and the output of openssl rand -hex"
              + " 32.");
    }
  }

  /** A gateway that sees no worker cannot tell what they can do. */
  private static boolean seesWorkers(Set<Role> roles, FleetConfig fleet) {
    return roles.contains(Role.WORKER) || fleet.redis().isPresent();
  }

  /** True where the process reads or writes jobs. */
  public boolean needsStore() {
    return needsStore(roles);
  }

  private static boolean needsStore(Set<Role> roles) {
    return roles.contains(Role.GATEWAY)
        || roles.contains(Role.WORKER)
        || roles.contains(Role.RELAY)
        || roles.contains(Role.QUEUE);
  }

  /** The same on another port. */
  public NodeConfig withPort(int other) {
    return new NodeConfig(
        data,
        host,
        other,
        roles,
        models,
        model,
        device,
        deterministic,
        publicUrl,
        drain,
        batch,
        checkpointSteps,
        memoryBytes,
        databaseUrl,
        databaseUser,
        databasePassword,
        edge,
        fleet,
        admission,
        tiers,
        sweep,
        tls,
        rates,
        databaseConnections,
        startWait);
  }

  /** Never shows the password. */
  @Override
  public String toString() {
    return "NodeConfig[data=" + data + ", port=" + port + ", roles=" + roles + "]";
  }
}

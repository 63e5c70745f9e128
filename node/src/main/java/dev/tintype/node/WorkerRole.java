package dev.tintype.node;

import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.node.ModelShelf.Model;
import dev.tintype.queue.fleet.WorkerPresence;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.JobStore;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.pipeline.TextCacheCounts;
import dev.tintype.worker.DeviceEngines;
import dev.tintype.worker.Worker;
import dev.tintype.worker.WorkerConfig;
import dev.tintype.worker.checkpoint.CheckpointStore;
import dev.tintype.worker.checkpoint.EphemeraCheckpoints;
import dev.tintype.worker.checkpoint.FolderCheckpoints;
import dev.tintype.worker.engine.Engine;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A process that paints. Without Kafka it brings its own relay. */
final class WorkerRole {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerRole.class);
  private static final Duration LOAD_MAX = Duration.ofMinutes(10);

  private final NodeConfig config;
  private final Worker worker;
  private final WorkerPresence presence;

  private WorkerRole(NodeConfig config, Worker worker, WorkerPresence presence) {
    this.config = config;
    this.worker = worker;
    this.presence = presence;
  }

  /**
   * Starts the worker and waits until its first model is loaded.
   *
   * @param models what it paints with, the one to load first in front
   * @param onLost called when the device is lost
   */
  static WorkerRole start(Parts parts, List<Model> models, Runnable onLost) {
    NodeConfig config = parts.config();
    StoreParts store = parts.store();
    BiConsumer<String, String> teller = parts.teller();
    long began = System.nanoTime();
    Model model = models.getFirst();
    String name = model.card().name();
    Map<String, Path> folders =
        models.stream().collect(Collectors.toMap(one -> one.card().name(), Model::folder));
    String place = place(parts.folder());
    reapOwn(store.jobs(), place);
    if (config.fleet().kafka().isEmpty()) {
      store.jobs().endClaims(); // What was published died with the process that published it.
    }
    WorkerConfig settings =
        WorkerConfig.defaults(place + ProcessHandle.current().pid())
            .withBatchMax(config.batch())
            .withCheckpointSteps(config.checkpointSteps());
    DeviceEngines engines =
        new DeviceEngines(
            config.device(),
            DeviceOptions.defaults().withDeterministic(config.deterministic()),
            folders,
            config.memoryBytes());
    parts
        .metrics()
        .add(
            new ProcessMetric(
                "tintype_text_cache_total",
                "Prompts' texts by whether they were encoded already.",
                "outcome",
                () -> {
                  TextCacheCounts counts = engines.textCache();
                  return Map.of("hit", counts.hits(), "miss", counts.misses());
                }));
    Worker started =
        parts
            .closers()
            .add(
                "worker",
                new Worker(
                    settings,
                    store.jobs(),
                    parts.transport(),
                    parts.blobs(),
                    store.events(),
                    checkpoints(parts),
                    ProgramVersion.number(),
                    engines,
                    error -> onLost.run()));
    WorkerPresence presence =
        parts
            .closers()
            .add(
                "presence",
                new WorkerPresence(
                        parts.ephemera(),
                        settings.workerId(),
                        () ->
                            started.status(
                                hostName(), ProgramVersion.number(), config.fleet().pool()),
                        settings.leaseTime().dividedBy(3))
                    .start());
    Engine engine = loaded(started.start(name));
    presence.changed();
    if (config.fleet().kafka().isEmpty()) {
      RelayRole.start(
          parts,
          Workforce.of(config.fleet().pool(), folders.keySet(), settings::jobsMax),
          folders.keySet());
    }
    if (config.fleet().kafka().isPresent() && !config.roles().contains(Role.RELAY)) {
      teller.accept("relay", "none here: jobs come from a process with the role relay");
    }
    teller.accept(
        "worker",
        "%s (%s, loaded in %.1f s) on %s"
            .formatted(
                name,
                ModelShelf.megabytes(model.bytes()),
                (System.nanoTime() - began) / 1e9,
                engine.device()));
    if (models.size() > 1) {
      teller.accept(
          "models",
          "loaded when jobs ask for them: "
              + models.stream()
                  .skip(1)
                  .map(one -> one.card().name())
                  .collect(Collectors.joining(", ")));
    }
    return new WorkerRole(config, started, presence);
  }

  /** Where other workers find them; a process that is alone finds them after a kill -9, too. */
  private static CheckpointStore checkpoints(Parts parts) {
    return parts.config().fleet().redis().isPresent()
        ? new EphemeraCheckpoints(parts.ephemera())
        : new FolderCheckpoints(parts.folder().resolve("checkpoints"), Clock.systemUTC());
  }

  /** We hold the folder's lock, so a lease of an earlier process of this folder has no owner. */
  private static void reapOwn(JobStore jobs, String place) {
    int freed = jobs.reapWorkers(place).size();
    if (freed > 0) {
      LOG.info("{} jobs of the process before this one are queued again", freed);
    }
  }

  /** Short and the same for every process on this folder: worker ids begin with it. */
  private static String place(DataFolder folder) {
    String digest = Sha256.hex(folder.path().toString().getBytes(StandardCharsets.UTF_8));
    return hostName() + "-" + digest.substring(0, 8) + "#";
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  private static Engine loaded(CompletableFuture<Engine> loading) {
    try {
      return loading.get(LOAD_MAX.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeException.Start("node.interrupted", "Interrupted.", e);
    } catch (TimeoutException e) {
      throw new NodeException.Start("node.slow", "The model was not loaded in ten minutes.", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Takes no more jobs and waits, up to the configured time, for pictures in the making. */
  void drain() {
    worker.takeNoMore();
    presence.changed();
    worker.drain(config.drain());
  }
}

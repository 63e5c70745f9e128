package dev.tintype.node;

import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.node.ModelShelf.Model;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.ephemera.RedisEphemera;
import dev.tintype.queue.fleet.EphemeraFleetView;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.WorkerPresence;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.relay.Relay;
import dev.tintype.queue.relay.RelayConfig;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.InProcessTransport;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.transport.KafkaTransport;
import dev.tintype.queue.webhook.SignedPost;
import dev.tintype.queue.webhook.WebhookSender;
import dev.tintype.sampler.device.DeviceOptions;
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
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The composition root: the parts of this process's roles, wired by hand. */
public final class Node implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final Duration LOAD_MAX = Duration.ofMinutes(10);
  private static final Duration HOLD = Duration.ofSeconds(30);
  private static final int TRANSPORT_DEPTH_MAX = 256;

  private final NodeConfig config;
  private final Closers closers;
  private final BiConsumer<String, String> teller;
  private final Runnable onBroken;
  private final SecureRandom random = new SecureRandom();
  private DataFolder folder;
  private Optional<Worker> worker = Optional.empty();
  private Optional<String> newKey = Optional.empty();
  private Runnable tellPresence = () -> {};
  private String url = "";
  private volatile boolean broken;

  private Node(NodeConfig config, BiConsumer<String, String> teller, Runnable onBroken) {
    this.config = config;
    this.teller = teller;
    this.onBroken = onBroken;
    this.closers = new Closers();
  }

  /**
   * Opens everything; what was opened is closed again where a later part fails.
   *
   * @param teller told a part's name and what was found, one line each
   * @param onBroken called when the device is lost: the process should end
   */
  public static Node open(NodeConfig config, BiConsumer<String, String> teller, Runnable onBroken) {
    Node node = new Node(config, teller, onBroken);
    try {
      node.open();
      return node;
    } catch (RuntimeException | Error e) {
      node.close();
      throw e;
    }
  }

  private void open() {
    Web.checkPort(config);
    folder = closers.add("data", DataFolder.open(config.data()));
    Logs.files(folder.resolve("logs"));
    ModelShelf shelf = ModelShelf.scan(config.models());
    shelf.broken().forEach(this::leftOut);
    List<Model> served = config.roles().contains(Role.WORKER) ? served(shelf) : List.of();
    BlobStore blobs = blobs();
    Optional<StoreParts> store =
        config.needsStore()
            ? Optional.of(StoreParts.open(config, folder.resolve("queue"), random, closers))
            : Optional.empty();
    store.ifPresent(
        parts -> {
          teller.accept("queue", parts.where());
          config.tiers().ifPresent(tiers -> declare(tiers, parts));
          keepFirstKey(parts);
        });
    List<ModelCard> cards =
        (served.isEmpty() ? shelf.models() : served).stream().map(Model::card).toList();
    Optional<JobTransport> transport = transport();
    Ephemera ephemera = ephemera();
    FleetView fleet =
        new EphemeraFleetView(ephemera, config.fleet().redis().isPresent(), Clock.systemUTC());
    if (!served.isEmpty()) {
      startWorker(served, store.orElseThrow(), blobs, transport.orElseThrow(), ephemera);
    }
    if (config.roles().contains(Role.RELAY) && config.fleet().kafka().isPresent()) {
      startFleetRelay(shelf, store.orElseThrow(), blobs, transport.orElseThrow(), fleet);
    }
    Web web = new Web(config, folder, blobs, ephemera, fleet, random, closers, teller);
    url = web.start(store, ModelCatalog.of(cards));
    if (config.roles().contains(Role.GATEWAY)) {
      teller.accept("gateway", url + " (page, API at /v1, /openapi.json)");
      folder.announce(url);
    }
    newKey.ifPresent(
        key ->
            teller.accept(
                "key",
                key
                    + "  (shown this once; kept for this machine in "
                    + folder.resolve("api-key")
                    + ")"));
  }

  private void declare(List<Tier> tiers, StoreParts store) {
    for (AccountAdmin.LeftOut one : store.accountAdmin().declareTiers(tiers)) {
      String what =
          "%s is not in the settings any more: %d users are in %s now; %s"
              .formatted(
                  one.tier(),
                  one.users(),
                  Tier.byDefault(tiers).name(),
                  one.gone()
                      ? "it is removed"
                      : "its jobs go on in it, and a start after the last of them was swept"
                          + " removes it");
      LOG.warn("Tier {}", what);
      teller.accept("tiers", what);
    }
  }

  /**
   * What the worker paints with: the model that was named, or all, the one to load first in front.
   */
  private List<Model> served(ModelShelf shelf) {
    Model first = shelf.choose(config.model());
    return config.model().isPresent()
        ? List.of(first)
        : Stream.concat(Stream.of(first), shelf.models().stream().filter(one -> one != first))
            .toList();
  }

  private void leftOut(ModelShelf.Broken model) {
    String why = "[" + model.reason().code() + "] " + model.reason().getMessage();
    LOG.warn("Model {} is left out: {}", model.name(), why);
    teller.accept("models", model.name() + " is left out: " + why);
  }

  private BlobStore blobs() {
    config
        .fleet()
        .s3()
        .ifPresent(
            s3 ->
                teller.accept(
                    "blobs",
                    "bucket " + s3.bucket() + s3.endpoint().map(u -> " at " + u).orElse("")));
    return Storage.blobs(config, folder.path(), closers);
  }

  /** What all processes may share and lose: rate limits, and who works. */
  private Ephemera ephemera() {
    return closers.add(
        "ephemera",
        config
            .fleet()
            .redis()
            .<Ephemera>map(RedisEphemera::new)
            .orElseGet(() -> new InProcessEphemera(Clock.systemUTC())));
  }

  /** Where other workers find them; a process that is alone finds them after a kill -9, too. */
  private CheckpointStore checkpoints(Ephemera ephemera) {
    return config.fleet().redis().isPresent()
        ? new EphemeraCheckpoints(ephemera)
        : new FolderCheckpoints(folder.resolve("checkpoints"), Clock.systemUTC());
  }

  /** Where this process sends or hears of jobs. */
  private Optional<JobTransport> transport() {
    if (!config.roles().contains(Role.RELAY) && !config.roles().contains(Role.WORKER)) {
      return Optional.empty();
    }
    return Optional.of(
        closers.add(
            "transport",
            config
                .fleet()
                .kafka()
                .<JobTransport>map(KafkaTransport::new)
                .orElseGet(
                    () -> new InProcessTransport(TRANSPORT_DEPTH_MAX, HOLD, Clock.systemUTC()))));
  }

  /**
   * A relay for all workers of the fleet. Where they tell each other by Redis what they serve, it
   * sends what they can take; else it knows its own shelf alone, and a number from the settings.
   */
  private void startFleetRelay(
      ModelShelf shelf,
      StoreParts store,
      BlobStore blobs,
      JobTransport transport,
      FleetView fleet) {
    boolean told = config.fleet().redis().isPresent();
    if (!told) {
      shelf.choose(Optional.empty()); // A relay without a model would relay nothing, in silence.
    }
    Set<String> names =
        shelf.models().stream().map(found -> found.card().name()).collect(Collectors.toSet());
    Workforce own = Workforce.of(names, config.fleet()::relaySlots);
    startRelay(store, blobs, transport, told ? Workforce.of(fleet, own) : own);
    teller.accept("relay", told ? "for what the workers serve" : "for " + String.join(", ", names));
  }

  /** Whoever relays also clears away, rows and blobs, and tells users of their jobs' ends. */
  private void startRelay(
      StoreParts store, BlobStore blobs, JobTransport transport, Workforce workforce) {
    config
        .fleet()
        .webhooks()
        .ifPresent(
            webhooks ->
                closers.add(
                    "webhooks",
                    new WebhookSender(
                            store.webhooks(),
                            store.jobs(),
                            new SignedPost(
                                webhooks.secret(), webhooks.allowPrivate(), Clock.systemUTC()),
                            random)
                        .start()));
    closers.add("sweeper", Storage.sweeper(config, store.ledger(), blobs, closers).start());
    closers.add(
        "relay",
        new Relay(
                store.jobs(),
                store.accounts()::tiers,
                transport,
                new FairPolicy(store.accounts().tiers(), random),
                RelayConfig.DEFAULT,
                workforce,
                Clock.systemUTC())
            .start(store.signals()));
  }

  private void keepFirstKey(StoreParts store) {
    newKey = store.accounts().firstKey();
    boolean ours = config.databaseUrl().isEmpty();
    if (newKey.isEmpty() && ours && DataFolder.apiKey(folder.path()).isEmpty()) {
      // The first start was killed between the database and the file, or somebody removed the file:
      // only the hash is left of that key, so this machine's commands get another.
      newKey = Optional.of(store.accounts().anotherFirstKey());
    }
    newKey.ifPresent(folder::keepApiKey);
  }

  private void startWorker(
      List<Model> models,
      StoreParts store,
      BlobStore blobs,
      JobTransport transport,
      Ephemera ephemera) {
    long began = System.nanoTime();
    Model model = models.getFirst();
    String name = model.card().name();
    Map<String, Path> folders =
        models.stream().collect(Collectors.toMap(one -> one.card().name(), Model::folder));
    String place = place(folder);
    reapOwn(store.jobs(), place);
    if (config.fleet().kafka().isEmpty()) {
      store.jobs().endClaims(); // What was published died with the process that published it.
    }
    WorkerConfig settings =
        WorkerConfig.defaults(place + ProcessHandle.current().pid())
            .withBatchMax(config.batch())
            .withCheckpointSteps(config.checkpointSteps());
    Worker started =
        closers.add(
            "worker",
            new Worker(
                settings,
                store.jobs(),
                transport,
                blobs,
                store.events(),
                checkpoints(ephemera),
                ProgramVersion.number(),
                new DeviceEngines(
                    config.device(),
                    DeviceOptions.defaults().withDeterministic(config.deterministic()),
                    folders,
                    config.memoryBytes()),
                error -> lost()));
    worker = Optional.of(started);
    WorkerPresence presence =
        closers.add(
            "presence",
            new WorkerPresence(
                    ephemera,
                    settings.workerId(),
                    () -> started.status(hostName(), ProgramVersion.number()),
                    settings.leaseTime().dividedBy(3))
                .start());
    tellPresence = presence::changed;
    Engine engine = loaded(started.start(name));
    presence.changed();
    if (config.fleet().kafka().isEmpty()) {
      startRelay(store, blobs, transport, Workforce.of(folders.keySet(), settings::jobsMax));
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

  private void lost() {
    broken = true;
    onBroken.run();
  }

  /** True once the device was lost. */
  public boolean broken() {
    return broken;
  }

  /** The origin under which this process answers on this machine. */
  public String url() {
    return url;
  }

  /** The folder's first key, if it was made by this start; else as kept in the folder. */
  public Optional<String> apiKey() {
    return newKey.or(() -> DataFolder.apiKey(folder.path()));
  }

  /** Takes no more jobs and waits, up to the configured time, for pictures in the making. */
  public void drain() {
    worker.ifPresent(
        w -> {
          w.takeNoMore();
          tellPresence.run();
          w.drain(config.drain());
        });
  }

  @Override
  public void close() {
    closers.close();
  }
}

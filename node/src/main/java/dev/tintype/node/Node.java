package dev.tintype.node;

import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.node.ModelShelf.Model;
import dev.tintype.queue.SteadyClock;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.ephemera.RedisEphemera;
import dev.tintype.queue.fleet.EphemeraFleetView;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.InProcessTransport;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.transport.KafkaTransport;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The composition root: the parts of this process's roles, wired by hand. */
public final class Node implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  /** For times to live and pauses, which nobody makes longer or shorter who sets the clock. */
  private static final Clock STEADY = new SteadyClock();

  private static final Duration HOLD = Duration.ofSeconds(30);
  private static final int TRANSPORT_DEPTH_MAX = 256;

  private final NodeConfig config;
  private final Closers closers;
  private final BiConsumer<String, String> teller;
  private final Runnable onBroken;
  private final SecureRandom random = new SecureRandom();
  private final List<ProcessMetric> metrics = new CopyOnWriteArrayList<>();
  private DataFolder folder;
  private Optional<WorkerRole> worker = Optional.empty();
  private Optional<String> newKey = Optional.empty();
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
    Optional<JobTransport> transport = transport();
    Ephemera ephemera = ephemera();
    StartWait wait = new StartWait(config.startWait(), Clock.systemUTC(), random);
    List<StartWait.Login> unseen = StartWait.look(logins(blobs, ephemera, transport));
    Optional<StoreParts> store =
        config.needsStore()
            ? Optional.of(StoreParts.open(config, folder.resolve("queue"), wait, random, closers))
            : Optional.empty();
    if (wait.waited()) {
      StartWait.look(unseen); // Started with the database, they are there by now.
    }
    store.ifPresent(
        parts -> {
          teller.accept("queue", parts.where());
          config.tiers().ifPresent(tiers -> declare(tiers, parts));
          keepFirstKey(parts);
        });
    List<ModelCard> cards =
        (served.isEmpty() ? shelf.models() : served).stream().map(Model::card).toList();
    FleetView fleet = new EphemeraFleetView(ephemera, config.fleet().redis().isPresent(), STEADY);
    Optional<Parts> parts =
        transport.map(
            way ->
                new Parts(
                    config,
                    folder,
                    store.orElseThrow(),
                    blobs,
                    way,
                    ephemera,
                    fleet,
                    random,
                    metrics,
                    closers,
                    teller));
    if (!served.isEmpty()) {
      worker = Optional.of(WorkerRole.start(parts.orElseThrow(), served, this::lost));
    }
    if (config.roles().contains(Role.RELAY) && config.fleet().kafka().isPresent()) {
      RelayRole.startForFleet(parts.orElseThrow(), shelf);
    }
    Web web = new Web(config, folder, blobs, ephemera, fleet, random, metrics, closers, teller);
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

  /** What is here without a server lets us in at once. */
  private static List<StartWait.Login> logins(
      BlobStore blobs, Ephemera ephemera, Optional<JobTransport> transport) {
    List<StartWait.Login> logins = new ArrayList<>();
    logins.add(new StartWait.Login("S3", blobs::login));
    logins.add(new StartWait.Login("Redis", ephemera::login));
    transport.ifPresent(kafka -> logins.add(new StartWait.Login("Kafka", kafka::login)));
    return logins;
  }

  /** What all processes may share and lose: rate limits, and who works. */
  private Ephemera ephemera() {
    return closers.add(
        "ephemera",
        config
            .fleet()
            .redis()
            .<Ephemera>map(RedisEphemera::new)
            .orElseGet(() -> new InProcessEphemera(STEADY)));
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
                .<JobTransport>map(kafka -> new KafkaTransport(kafka, config.fleet().pool()))
                .orElseGet(
                    () ->
                        new InProcessTransport(
                            config.fleet().pool(), TRANSPORT_DEPTH_MAX, HOLD, STEADY))));
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
    worker.ifPresent(WorkerRole::drain);
  }

  @Override
  public void close() {
    closers.close();
  }
}

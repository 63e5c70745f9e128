package dev.tintype.queue.fleet;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.ScalePolicy.Wanted;
import dev.tintype.queue.store.FleetLock;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.webhook.SignedPost;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells an operator's URL how many workers are wanted, by a signed POST, when {@link ScaleWord}
 * says that it is due, until it is taken. Every relay has one; the one with the {@link FleetLock}
 * speaks. A new speaker begins by telling what it sees: the numbers are absolute, so hearing them
 * twice changes nothing.
 */
public final class ScaleHook implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ScaleHook.class);

  /** The task's name for {@link FleetLock}. */
  public static final String TASK = "scale";

  /** Between two looks at what waits; a look that takes long is followed by a longer pause. */
  static final Duration POLL = Duration.ofSeconds(5);

  private static final int SPARSE = 10;

  /** The lock has to be asked for more often than {@link FleetLock#SILENT_MAX}. */
  private static final Duration PAUSE_MAX = Duration.ofSeconds(30);

  private static final Duration RETRY_FIRST = Duration.ofSeconds(1);
  static final Duration RETRY_MAX = Duration.ofMinutes(1);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(20);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /**
   * Where to and how often.
   *
   * @param url the operator's own, which may lead into a private network
   * @param downAfter how long less has to be wanted before less is told, 0 to 1 day; default 5 min
   * @param repeat between two words while the workers are not as many as wanted, 10 s to 1 day;
   *     default 60 s
   */
  public record Settings(URI url, Duration downAfter, Duration repeat) {
    public static final Duration DOWN_AFTER = Duration.ofMinutes(5);
    public static final Duration REPEAT = Duration.ofSeconds(60);
    private static final Duration DAY = Duration.ofDays(1);

    public Settings {
      if (downAfter.isNegative()
          || downAfter.compareTo(DAY) > 0
          || repeat.toSeconds() < 10
          || repeat.compareTo(DAY) > 0) {
        throw new QueueException.Invalid(
            "scale.policy",
            "scale.down_after_s is from 0 to 86400, scale.repeat_s from 10 to 86400.");
      }
    }
  }

  /**
   * What the numbers are made of.
   *
   * @param load of the whole queue; raises {@link QueueException} while that is not known
   * @param tiers say which pool is whose
   * @param fleet who works
   * @param models that have to be there even without work
   */
  public record Sources(
      Supplier<List<QueueLoad>> load,
      Supplier<List<Tier>> tiers,
      FleetView fleet,
      Set<String> models) {}

  /** Kept until it is taken or overtaken, so that a receiver can drop what it has already. */
  private record Letter(String id, String body, ScaleWord.Due due) {}

  private final ScalePolicy policy;
  private final Settings settings;
  private final Sources sources;
  private final FleetLock lock;
  private final SignedPost post;
  private final Clock steady;
  private final Clock wall;
  private final RandomGenerator random;
  private final LongAdder taken = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = Thread.ofVirtual().name("scale-hook").unstarted(this::loop);
  private ScaleWord word;
  private Optional<Letter> open = Optional.empty();
  private Instant notBefore = Instant.MIN;
  private int failures;

  /**
   * @param lock closed with this
   * @param post may call private addresses: the URL is the operator's
   * @param steady for pauses, a clock that nobody sets
   * @param wall what the receiver is told
   */
  public ScaleHook(
      ScalePolicy policy,
      Settings settings,
      Sources sources,
      FleetLock lock,
      SignedPost post,
      Clock steady,
      Clock wall,
      RandomGenerator random) {
    this.policy = policy;
    this.settings = settings;
    this.sources = sources;
    this.lock = lock;
    this.post = post;
    this.steady = steady;
    this.wall = wall;
    this.random = random;
    this.word = new ScaleWord(policy, settings.downAfter(), settings.repeat());
  }

  /** Looks every few seconds from now on. */
  public ScaleHook start() {
    thread.start();
    return this;
  }

  /** Posts of this process by outcome: {@code taken}, {@code failed}. */
  public Map<String, Long> counts() {
    return Map.of("taken", taken.sum(), "failed", failed.sum());
  }

  private void loop() {
    try {
      long pauseMs = 0;
      while (!closed.await(pauseMs, TimeUnit.MILLISECONDS)) {
        long began = System.nanoTime();
        roundSafely();
        long tookMs = (System.nanoTime() - began) / 1_000_000;
        pauseMs = Math.clamp(tookMs * SPARSE, POLL.toMillis(), PAUSE_MAX.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.close();
    }
  }

  private void roundSafely() {
    try {
      round();
    } catch (QueueException e) {
      LOG.debug("What is wanted is not known: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("A look at what is wanted failed, going on", e);
    }
  }

  /** One look, and a word where it is due. */
  void round() {
    if (!lock.held()) {
      // Somebody else speaks. What we told is old by the time that we do again.
      word = new ScaleWord(policy, settings.downAfter(), settings.repeat());
      open = Optional.empty();
      return;
    }
    FleetView fleet = sources.fleet().still();
    Set<Place> places = new TreeSet<>(fleet.places());
    sources.models().forEach(model -> places.add(Place.shared(model)));
    SortedMap<Place, Wanted> wanted =
        policy.wanted(places, sources.load().get(), sources.tiers().get());
    Optional<ScaleWord.Due> due = word.look(steady.instant(), wanted, there(fleet));
    due.ifPresent(one -> tell(one, fleet));
  }

  private static Optional<Map<Place, Integer>> there(FleetView fleet) {
    if (!fleet.known()) {
      return Optional.empty();
    }
    Map<Place, Integer> there = new TreeMap<>();
    for (WorkerStatus worker : fleet.workers()) {
      if (worker.state() == WorkerState.READY || worker.state() == WorkerState.STARTING) {
        worker
            .serves()
            .forEach(model -> there.merge(new Place(worker.pool(), model), 1, Integer::sum));
      }
    }
    return Optional.of(there);
  }

  private void tell(ScaleWord.Due due, FleetView fleet) {
    boolean same = open.filter(letter -> letter.due().sameAs(due)).isPresent();
    if (!same) {
      String id = "scale_" + HexFormat.of().toHexDigits(random.nextLong());
      open = Optional.of(new Letter(id, body(due, fleet), due));
    }
    if (steady.instant().isBefore(notBefore)) {
      return;
    }
    Letter letter = open.orElseThrow();
    switch (post.send(settings.url(), letter.id(), letter.body())) {
      case SignedPost.Answer.Taken taken -> taken(letter);
      case SignedPost.Answer.Gone gone -> failed("status 410");
      case SignedPost.Answer.Failed(String why) -> failed(why);
    }
  }

  private void taken(Letter letter) {
    if (failures > 0) {
      LOG.info("The autoscaler's webhook is taken again");
    }
    taken.increment();
    failures = 0;
    notBefore = Instant.MIN;
    open = Optional.empty();
    word.told(letter.due(), steady.instant());
  }

  /** The host alone: the path of an operator's URL may be a secret. */
  private void failed(String why) {
    failed.increment();
    if (failures++ == 0) {
      LOG.warn(
          "The autoscaler's webhook at {} is not taken, trying on: {}",
          settings.url().getHost(),
          why);
    }
    long waitMs = RETRY_FIRST.toMillis() << Math.min(failures - 1, 6);
    waitMs = Math.min(waitMs, RETRY_MAX.toMillis());
    notBefore = steady.instant().plusMillis(waitMs + (long) (waitMs * random.nextDouble() / 5));
  }

  private String body(ScaleWord.Due due, FleetView fleet) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("type", "scale.wanted").put("timestamp", wall.instant().toString());
    ObjectNode data = node.putObject("data");
    data.put("reason", due.reason().name().toLowerCase(Locale.ROOT));
    data.put("target_wait_s", policy.targetWait().toSeconds());
    data.put("workers_known", fleet.known());
    ArrayNode places = data.putArray("wanted");
    Map<Place, Integer> there = there(fleet).orElse(Map.of());
    due.wanted()
        .forEach(
            (place, wanted) -> {
              ObjectNode one = places.addObject();
              one.put("model", place.model())
                  .put("pool", place.pool())
                  .put("workers", there.getOrDefault(place, 0))
                  .put("wanted", wanted.workers())
                  .put("on_demand", wanted.onDemand())
                  .put("spot", wanted.spot());
              ObjectNode backlog = one.putObject("backlog_gpu_s");
              wanted.backlogS().forEach(backlog::put);
            });
    return node.toString();
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      if (thread.isAlive()) {
        thread.join(CLOSE_MAX);
      } else {
        lock.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

package dev.tintype.queue.transport;

import dev.tintype.queue.Causes;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.TlsRefusal;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import javax.security.auth.login.LoginException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transport of a fleet: a topic per model and tier class, and all workers in one share group
 * (KIP-932). It may be constructed, and goes on, while Kafka is away: {@link #offer} then refuses,
 * {@link #poll} finds nothing, {@link #depth} raises {@code transport.unavailable}, and the jobs
 * wait in the store. What Kafka loses or doubles, the store's claims and leases make good.
 */
public final class KafkaTransport implements JobTransport {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaTransport.class);

  /** A refused connection is not tried again sooner. */
  private static final long AWAY_PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

  private static final long TELL_EVERY_NANOS = Duration.ofSeconds(30).toNanos();
  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  /**
   * Different sets of models in one process; each is a member of the group. More: the oldest goes.
   */
  private static final int INTAKES_MAX = 16;

  private final KafkaConfig config;
  private final String pool;

  /** The one that was polled longest ago in front. */
  private final Map<Set<String>, KafkaIntake> intakes = new LinkedHashMap<>(16, 0.75f, true);

  private final Map<String, Set<String>> modelsInUse = new TreeMap<>();
  private KafkaTopics topics;
  private Optional<KafkaWitness> witness = Optional.empty();
  private KafkaProducer<byte[], byte[]> producer;
  private long awayUntil = System.nanoTime();
  private long toldAt = System.nanoTime() - TELL_EVERY_NANOS;
  private Optional<String> trouble = Optional.empty();
  private volatile boolean closed;

  /** Polls for the shared workers. */
  public KafkaTransport(KafkaConfig config) {
    this(config, Tier.SHARED);
  }

  /**
   * @param pool of those who poll; wake-ups of any pool may be offered
   */
  public KafkaTransport(KafkaConfig config, String pool) {
    this.config = config;
    this.pool = pool;
  }

  @Override
  public synchronized boolean offer(WakeUp wakeUp) {
    if (closed || away()) {
      return false;
    }
    try {
      String topic = topics().topic(wakeUp.pool(), wakeUp.model(), wakeUp.tierClass());
      use(wakeUp.pool(), Set.of(wakeUp.model()));
      producer()
          .send(new ProducerRecord<>(topic, KafkaIntake.write(wakeUp)))
          .get(config.deadline().toMillis(), TimeUnit.MILLISECONDS);
      fine();
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      // It may have arrived all the same; then the job's lease is refused to the second.
      lost(e);
      return false;
    }
  }

  @Override
  public Optional<Delivery> poll(Set<String> models, Duration timeout) throws InterruptedException {
    if (models.isEmpty()) {
      throw new QueueException.Invalid(
          "transport.models", "A worker polls for at least one model.");
    }
    Optional<KafkaIntake> intake = intake(models);
    if (intake.isEmpty()) {
      pause(timeout);
      return Optional.empty();
    }
    try {
      return intake.get().poll(timeout);
    } catch (KafkaException | IllegalStateException e) {
      if (!closed) {
        synchronized (this) {
          intakes.remove(Set.copyOf(models), intake.get());
          lost(e);
        }
        intake.get().close();
        pause(timeout);
      }
      return Optional.empty();
    }
  }

  private synchronized Optional<KafkaIntake> intake(Set<String> models)
      throws InterruptedException {
    if (closed) {
      return Optional.empty();
    }
    KafkaIntake known = intakes.get(models);
    if (known != null || away()) {
      return Optional.ofNullable(known);
    }
    if (intakes.size() == INTAKES_MAX) {
      leaveOne();
    }
    try {
      use(pool, models);
      if (witness.isEmpty()) {
        topics().make(List.of(topics().empty()));
        witness = Optional.of(new KafkaWitness(config, topics().empty()));
      }
      KafkaIntake fresh =
          new KafkaIntake(config, pool, Set.copyOf(models), topics().topics(pool, models));
      intakes.put(Set.copyOf(models), fresh);
      fine();
      return Optional.of(fresh);
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      lost(e);
      return Optional.empty();
    }
  }

  /** Workers ask for what they have loaded, and that changes. What an intake holds comes again. */
  private void leaveOne() {
    Set<String> oldest = intakes.keySet().iterator().next();
    intakes.remove(oldest).close();
  }

  /** In slices, so that a close is heard. */
  private void pause(Duration timeout) throws InterruptedException {
    long until = System.nanoTime() + Math.min(timeout.toNanos(), AWAY_PAUSE_NANOS);
    while (!closed && System.nanoTime() < until) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  @Override
  public synchronized int depth() {
    return Map.copyOf(modelsInUse).entrySet().stream()
        .flatMap(one -> depths(one.getKey(), Set.copyOf(one.getValue())).values().stream())
        .mapToInt(Integer::intValue)
        .sum();
  }

  /** Makes the models' topics where they are missing, so that what others sent is counted too. */
  @Override
  public synchronized Map<String, Integer> depths(String pool, Set<String> models) {
    Map<String, Integer> depths = new TreeMap<>();
    if (closed || models.isEmpty()) {
      models.forEach(model -> depths.put(model, 0));
      return depths;
    }
    if (away()) {
      throw unavailable(null);
    }
    try {
      use(pool, models);
      Map<String, Long> backlogs = topics().backlogs(topics().topics(pool, models));
      for (String model : models) {
        long waiting = topics().topics(pool, Set.of(model)).stream().mapToLong(backlogs::get).sum();
        long held = pool.equals(this.pool) ? held(model) : 0;
        depths.put(model, Math.clamp(waiting - held, 0, Integer.MAX_VALUE));
      }
      return depths;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(e);
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      lost(e);
      throw unavailable(e);
    }
  }

  @Override
  public synchronized OptionalLong deadLetters() {
    if (closed || away()) {
      return OptionalLong.empty();
    }
    try {
      topics().make(List.of(topics().empty()));
      return topics().deadLetters();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return OptionalLong.empty();
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      lost(e);
      return OptionalLong.empty();
    }
  }

  /**
   * Holds nothing meanwhile: a stop need not wait for it. Refused are also settings that the client
   * itself does not take.
   */
  @Override
  public void login(Duration most) {
    KafkaTopics looking;
    synchronized (this) {
      if (closed) {
        throw unavailable(null);
      }
      try {
        looking = topics();
      } catch (KafkaException e) {
        throw settingsRefused(e).or(() -> refusal(e)).orElseGet(() -> unavailable(e));
      }
    }
    try {
      looking.reach(most);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(e);
    } catch (KafkaException | ExecutionException | TimeoutException e) {
      throw refusal(e).orElseGet(() -> unavailable(e));
    }
  }

  /** That Kafka answered and does not let us in; empty where it did not answer. */
  private Optional<QueueException> refusal(Throwable error) {
    if (TlsRefusal.in(error)) {
      return Optional.of(
          new QueueException.Refused(
              "transport.tls",
              "The certificate of Kafka at %s, or ours, is not accepted, or it does not speak TLS there (%s): correct kafka.ca, kafka.cert and kafka.key, or kafka.security_protocol."
                  .formatted(config.bootstrap(), bottom(error)),
              error));
    }
    return Causes.of(error)
        .filter(t -> t instanceof AuthenticationException || t instanceof LoginException)
        .filter(t -> !(t instanceof SslAuthenticationException))
        .findFirst()
        .<QueueException>map(
            t ->
                new QueueException.Refused(
                    "transport.login",
                    "Kafka at %s refuses this login (%s): correct kafka.user, kafka.password and kafka.sasl_mechanism."
                        .formatted(config.bootstrap(), Causes.message(t)),
                    error));
  }

  /**
   * What the client itself does not take, such as a PEM file with a key of an unknown kind. Names
   * that nobody resolves are no such mistake: name servers have outages, too.
   */
  private Optional<QueueException> settingsRefused(KafkaException error) {
    return Causes.first(error, InvalidConfigurationException.class)
        .<QueueException>map(
            t ->
                new QueueException.Refused(
                    "kafka.config",
                    "The client of Kafka does not take its settings (%s): correct kafka.ca, kafka.cert, kafka.key or the others of kafka."
                        .formatted(bottom(t)),
                    error));
  }

  private static String bottom(Throwable error) {
    return Causes.message(Causes.last(error));
  }

  /** Why Kafka cannot be used now; empty while it can, as far as is known. */
  public synchronized Optional<String> trouble() {
    return trouble;
  }

  private long held(String model) {
    return intakes.values().stream().filter(in -> in.held().equals(Optional.of(model))).count();
  }

  private void use(String pool, Set<String> models)
      throws ExecutionException, TimeoutException, InterruptedException {
    List<String> names = topics().topics(pool, models);
    topics().make(names);
    modelsInUse.computeIfAbsent(pool, name -> new TreeSet<>()).addAll(models);
  }

  private KafkaTopics topics() {
    if (topics == null) {
      topics = new KafkaTopics(config);
    }
    return topics;
  }

  private KafkaProducer<byte[], byte[]> producer() {
    if (producer == null) {
      Map<String, Object> settings = new HashMap<>(config.client());
      settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
      settings.put(ProducerConfig.ACKS_CONFIG, "all");
      settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
      settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, config.deadline().toMillis());
      int half = (int) config.deadline().toMillis() / 2;
      settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, half);
      settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2 * half);
      settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
      producer =
          new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }
    return producer;
  }

  private boolean away() {
    return trouble.isPresent() && System.nanoTime() < awayUntil;
  }

  private void fine() {
    if (trouble.isPresent()) {
      LOG.info("Kafka at {} is there again", config.bootstrap());
      trouble = Optional.empty();
    }
  }

  private void lost(Exception error) {
    Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
    trouble =
        Optional.of(
            refusal(cause)
                .map(known -> known.code() + ": " + known.getMessage())
                .orElse(cause.getClass().getSimpleName() + ": " + cause.getMessage()));
    awayUntil = System.nanoTime() + AWAY_PAUSE_NANOS;
    if (System.nanoTime() - toldAt >= TELL_EVERY_NANOS) {
      toldAt = System.nanoTime();
      LOG.warn(
          "Kafka at {} cannot be used; jobs wait in the database ({})",
          config.bootstrap(),
          trouble.get());
    }
  }

  private QueueException unavailable(Exception cause) {
    return new QueueException.Unavailable(
        "transport.unavailable",
        "Kafka at "
            + config.bootstrap()
            + " cannot be used: start it, or correct kafka.bootstrap or kafka.security_protocol."
            + " Jobs wait in the database.",
        cause);
  }

  @Override
  public void close() {
    closed = true;
    List<KafkaIntake> open;
    synchronized (this) {
      open = List.copyOf(intakes.values());
      intakes.clear();
    }
    open.forEach(KafkaIntake::close);
    synchronized (this) {
      witness.ifPresent(KafkaWitness::close);
      if (producer != null) {
        producer.close(CLOSE_MAX);
      }
      if (topics != null) {
        topics.close();
      }
    }
  }
}

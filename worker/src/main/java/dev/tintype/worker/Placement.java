package dev.tintype.worker;

import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.worker.engine.Engine;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Which wake-up a worker takes next, and the engine for it. Jobs of models that are loaded go
 * before others, but at most {@value #SKIPS_MAX} times in a row: then the next in line is taken,
 * whatever it costs to load its model. While it waits for that, no other job is taken, so that the
 * jobs in the making end and make room. For the intake's thread, the only one that causes loads;
 * what is loaded therefore stays while this thread takes a job for it.
 */
final class Placement {
  static final int SKIPS_MAX = 8;

  /** A wake-up is held for 30 s at least. */
  private static final long RENEW_S = 5;

  private final JobTransport transport;
  private final EngineLoader loader;
  private final Duration poll;
  private final Map<String, Engine> engines = new HashMap<>();
  private int skips;
  private long renewedAt = System.nanoTime();

  /**
   * @param poll the longest wait for a wake-up
   */
  Placement(JobTransport transport, EngineLoader loader, Duration poll) {
    this.transport = transport;
    this.loader = loader;
    this.poll = poll;
  }

  Optional<Delivery> next() throws InterruptedException {
    Set<String> resident = loader.resident();
    if (skips < SKIPS_MAX && !resident.isEmpty() && resident.size() < loader.models().size()) {
      Optional<Delivery> warm = transport.poll(resident, Duration.ZERO);
      if (warm.isPresent()) {
        skips++;
        return warm;
      }
    }
    Optional<Delivery> any = transport.poll(loader.models(), poll);
    if (any.isPresent()) {
      skips = 0;
    }
    return any;
  }

  /**
   * The engine for a wake-up, loaded now unless it is there; the wake-up is held meanwhile. Empty
   * where {@code ended} came first. Raises what the load did.
   *
   * @param load asks the loop, which loads on its own thread
   */
  Optional<Engine> engine(
      Delivery delivery, Function<String, CompletableFuture<Engine>> load, BooleanSupplier ended)
      throws InterruptedException {
    String model = delivery.wakeUp().model();
    engines.keySet().retainAll(loader.resident());
    loader.used(model);
    Engine known = engines.get(model);
    if (known != null) {
      return Optional.of(known);
    }
    CompletableFuture<Engine> answer = load.apply(model);
    while (!ended.getAsBoolean()) {
      try {
        Engine engine = answer.get(poll.toMillis(), TimeUnit.MILLISECONDS);
        engines.put(model, engine);
        return Optional.of(engine);
      } catch (TimeoutException e) {
        hold(delivery);
      } catch (CancellationException e) {
        return Optional.empty();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failed) {
          throw failed;
        }
        return Optional.empty(); // The loop ends, and says why.
      }
    }
    answer.cancel(false);
    return Optional.empty();
  }

  /** If it cannot be held it comes again, to whoever has room, and a lease is given once. */
  private void hold(Delivery delivery) {
    if (System.nanoTime() - renewedAt > TimeUnit.SECONDS.toNanos(RENEW_S)) {
      renewedAt = System.nanoTime();
      delivery.renew();
    }
  }
}

package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.InProcessTransport;
import dev.tintype.queue.transport.WakeUp;
import dev.tintype.worker.engine.Engine;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private final Random random = new Random(3);
  private final InProcessTransport transport =
      new InProcessTransport(100, Duration.ofSeconds(30), Clock.systemUTC());
  private Set<String> resident = Set.of("warm");
  private final Placement placement = new Placement(transport, new Shelf(), Duration.ofMillis(1));

  private final class Shelf implements EngineLoader {
    @Override
    public Set<String> models() {
      return Set.of("warm", "cold");
    }

    @Override
    public Set<String> resident() {
      return resident;
    }

    @Override
    public Optional<Engine> engine(String model, Set<String> busy) {
      throw new AssertionError("the loop loads");
    }

    @Override
    public void close() {}
  }

  private void offer(String model, int jobs) {
    for (int i = 0; i < jobs; i++) {
      transport.offer(new WakeUp(JobId.next(Clock.systemUTC(), random), model, TierClass.NORMAL));
    }
  }

  private List<String> take(int jobs) throws InterruptedException {
    List<String> taken = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      Delivery delivery = placement.next().orElseThrow();
      delivery.ack();
      taken.add(delivery.wakeUp().model());
    }
    return taken;
  }

  @Test
  void whatIsLoadedGoesFirstButNotForEver() throws Exception {
    offer("cold", 2);
    offer("warm", 40);
    List<String> taken = take(2 * Placement.SKIPS_MAX + 2);
    assertThat(taken.indexOf("cold")).isEqualTo(Placement.SKIPS_MAX);
    assertThat(taken.lastIndexOf("cold")).isEqualTo(2 * Placement.SKIPS_MAX + 1);
  }

  @Test
  void aColdOneIsTakenAtOnceWhereNothingElseWaits() throws Exception {
    offer("cold", 1);
    assertThat(take(1)).containsExactly("cold");
    assertThat(placement.next()).isEmpty();
  }

  @Test
  void anEngineIsAskedForOnceAndAgainAfterItWasEvicted() throws Exception {
    offer("warm", 1);
    Delivery delivery = placement.next().orElseThrow();
    List<String> asked = new ArrayList<>();
    ScriptedEngine engine = new ScriptedEngine();
    for (int i = 0; i < 3; i++) {
      placement.engine(delivery, model -> answered(asked, model, engine), () -> false);
    }
    assertThat(asked).containsExactly("warm");
    resident = Set.of();
    placement.engine(delivery, model -> answered(asked, model, engine), () -> false);
    assertThat(asked).hasSize(2);
  }

  private static CompletableFuture<Engine> answered(
      List<String> asked, String model, Engine engine) {
    asked.add(model);
    return CompletableFuture.completedFuture(engine);
  }

  @Test
  void whoEndsNoLongerWaitsForAModel() throws Exception {
    offer("cold", 1);
    CompletableFuture<Engine> never = new CompletableFuture<>();
    boolean[] ended = {false};
    Optional<Engine> engine =
        placement.engine(
            placement.next().orElseThrow(),
            model -> {
              ended[0] = true;
              return never;
            },
            () -> ended[0]);
    assertThat(engine).isEmpty();
    assertThat(never).isCancelled();
  }
}

package dev.tintype.perf.simulate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.perf.simulate.Scenario.Faults;
import dev.tintype.perf.simulate.Scenario.Order;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The order, the relay, the transport and admission over many histories. A failure names the seed
 * that replays it. That the store in PostgreSQL loses and doubles nothing is shown by its own tests
 * and by chaos, not here: the store of a simulation is in memory.
 */
class SimulationTest {
  private static final Logger QUEUE = Logger.getLogger("dev.tintype.queue");

  @BeforeAll
  static void quiet() {
    QUEUE.setLevel(Level.SEVERE);
  }

  private static Outcome run(Scenario scenario) {
    return new Simulation(scenario).run(part -> {});
  }

  private static void kept(Outcome outcome) {
    assertThat(outcome.good()).as("%s%n%s", outcome.scenario(), outcome.table()).isTrue();
  }

  /** Some minutes of a few GPUs: crashes, silences, lost and doubled wake-ups, errors, bursts. */
  private static Scenario shortOne(long seed) {
    SplittableRandom draw = new SplittableRandom(seed);
    int gpus = 1 + draw.nextInt(6);
    double rate = gpus / 4.2 * (0.3 + 1.2 * draw.nextDouble());
    return new Scenario(seed, 0.02, gpus, rate, Faults.ROUGH, Order.FAIR);
  }

  @Test
  @Tag("slow")
  void tenThousandRoughHistoriesLoseAndDoubleNothing() {
    long accepted = 0;
    long fenced = 0;
    long dead = 0;
    for (long seed = 0; seed < 10_000; seed++) {
      Outcome outcome = run(shortOne(seed));
      kept(outcome);
      accepted += outcome.accepted();
      fenced += outcome.fenced();
      dead += outcome.dead();
    }
    // The histories were rough enough to try the fence and the burial.
    assertThat(accepted).isGreaterThan(100_000);
    assertThat(fenced).isGreaterThan(100);
    assertThat(dead).isPositive();
  }

  @Test
  @Tag("slow")
  void theBoundIsKeptInManyHistoriesOfOverloadAndUsualFaults() {
    int promised = 0;
    for (long seed = 0; seed < 300; seed++) {
      Outcome outcome = run(new Scenario(seed, 0.5, 20, 9, Faults.USUAL, Order.FAIR));
      kept(outcome);
      promised += outcome.boundPromised() ? 1 : 0;
    }
    assertThat(promised).isGreaterThan(250);
  }

  @Test
  @Tag("slow")
  void theLongerBoundOfModeRelaxIsKeptAndSoAreTheOthers() {
    int promised = 0;
    long relaxed = 0;
    for (long seed = 0; seed < 15; seed++) {
      Outcome outcome =
          run(new Scenario(seed, 0.5, 20, 9, Faults.USUAL, Order.FAIR, 0.3, Optional.empty()));
      kept(outcome);
      promised += outcome.boundPromised() ? 1 : 0;
      relaxed +=
          outcome.lanes().stream()
              .filter(lane -> lane.name().endsWith(" relax"))
              .mapToLong(Outcome.Lane::accepted)
              .sum();
    }
    assertThat(promised).isGreaterThan(10);
    assertThat(relaxed).isGreaterThan(15_000);
  }

  @Test
  void theSameSeedIsTheSameHistory() {
    Scenario scenario = new Scenario(5, 0.1, 20, 6, Faults.USUAL, Order.FAIR);
    assertThat(run(scenario)).isEqualTo(run(scenario));
  }

  @Test
  void underOverloadWhatIsAcceptedIsInTimeAndTheRestIsTold() {
    Outcome outcome = run(new Scenario(3, 1, 20, 10, Faults.NONE, Order.FAIR));
    kept(outcome);
    assertThat(outcome.late()).isZero();
    assertThat(outcome.utilisation()).isGreaterThan(0.95);
    assertThat(outcome.lanes()).anyMatch(lane -> lane.refused() > 0);
    assertThat(outcome.lanes()).allMatch(lane -> lane.accepted() > 0);
  }

  @Test
  void withoutAdmissionAndAgeTheSameLoadBreaksTheBounds() {
    Outcome fifo = run(new Scenario(3, 1, 20, 10, Faults.NONE, Order.FIFO));
    assertThat(fifo.late()).isPositive();
    assertThat(fifo.lost() + fifo.doubled()).isZero();
  }

  /** A simulation ends with an exception where a job comes to a pool that is not its tier's. */
  @Test
  void aPoolKeepsItsTierApartAndAllBoundsHold() {
    for (String pool : List.of("free=6", "enterprise=2", "standard=5+")) {
      for (long seed = 0; seed < 3; seed++) {
        Outcome outcome =
            run(
                new Scenario(
                    seed,
                    0.3,
                    20,
                    9,
                    Faults.USUAL,
                    Order.FAIR,
                    0,
                    Optional.of(Scenario.Pool.parse(pool))));
        kept(outcome);
        assertThat(outcome.accepted()).as(pool).isPositive();
      }
    }
  }
}

package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.worker.ResidentModels.Plan;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ResidentModelsTest {
  private static final long SECOND = 1_000_000_000;
  private final AtomicLong now = new AtomicLong();
  private final ResidentModels models = new ResidentModels(100, now::get);

  private void load(String model, long bytes, long seconds, int uses) {
    models.loaded(model, bytes, seconds * SECOND);
    for (int i = 0; i < uses; i++) {
      models.used(model);
    }
  }

  @Test
  void whatFitsEvictsNothing() {
    load("a", 60, 1, 1);
    assertThat(models.plan(40, Set.of())).isEqualTo(new Plan.Load(List.of()));
  }

  @Test
  void whatIsSmallQuickAndUnpopularGoesFirst() {
    load("dear", 30, 10, 5);
    load("cheap", 30, 1, 5);
    load("forgotten", 30, 10, 0);
    assertThat(models.plan(40, Set.of())).isEqualTo(new Plan.Load(List.of("forgotten")));
    assertThat(models.plan(70, Set.of())).isEqualTo(new Plan.Load(List.of("forgotten", "cheap")));
  }

  @Test
  void popularityFades() {
    load("old", 50, 1, 100);
    now.addAndGet(3 * 3_600 * SECOND);
    load("new", 50, 1, 1);
    assertThat(models.plan(50, Set.of())).isEqualTo(new Plan.Load(List.of("old")));
  }

  @Test
  void whatRunsStaysAndTheRestWaits() {
    load("a", 60, 1, 1);
    load("b", 40, 9, 9);
    assertThat(models.plan(30, Set.of("a"))).isEqualTo(new Plan.Load(List.of("b")));
    assertThat(models.plan(50, Set.of("a"))).isEqualTo(new Plan.Wait());
    assertThat(models.plan(1, Set.of("a", "b"))).isEqualTo(new Plan.Wait());
  }

  @Test
  void whatIsLargerThanTheBudgetNeverFits() {
    assertThat(models.plan(101, Set.of())).isEqualTo(new Plan.Never());
  }

  @Test
  void aSmallOneIsSparedWhereALargeOneHasToGoAnyway() {
    load("small", 10, 1, 1);
    load("large", 90, 1, 1);
    assertThat(models.plan(80, Set.of())).isEqualTo(new Plan.Load(List.of("large")));
  }

  /** Whatever happens: never over the budget, never a busy one, nothing needless. */
  @Test
  void plansKeepTheBudgetAndSpareTheBusy() {
    SplittableRandom random = new SplittableRandom(7);
    TreeMap<String, Long> held = new TreeMap<>();
    for (int i = 0; i < 20_000; i++) {
      now.addAndGet(random.nextLong(60 * SECOND));
      String model = "m" + random.nextInt(8);
      long bytes = 10 + 13L * (model.charAt(1) - '0');
      models.used(model);
      Set<String> busy = held.isEmpty() ? Set.of() : Set.of(held.firstKey());
      if (!held.containsKey(model)
          && models.plan(bytes, busy) instanceof Plan.Load(List<String> out)) {
        assertThat(out).isSubsetOf(held.keySet()).noneMatch(busy::contains);
        out.forEach(models::evicted);
        out.forEach(held::remove);
        models.loaded(model, bytes, SECOND);
        held.put(model, bytes);
        long sum = held.values().stream().mapToLong(Long::longValue).sum();
        assertThat(sum).isLessThanOrEqualTo(100);
        for (String one : out) {
          assertThat(sum + 10 + 13L * (one.charAt(1) - '0')).isGreaterThan(100);
        }
      }
    }
    assertThat(held).isNotEmpty();
  }
}

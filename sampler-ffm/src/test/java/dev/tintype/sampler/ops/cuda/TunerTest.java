package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measuring by scripted clocks. */
class TunerTest {
  @TempDir Path folder;
  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
  private final Cuda cuda = new Cuda(runtime, 0);
  private final CudaMemory memory = new CudaMemory(cuda, 1L << 30);
  private final List<String> ran = new ArrayList<>();

  private final List<String> closed = new ArrayList<>();

  /** One way of doing the work, by its id. */
  private record Way(String id, Runnable work) {}

  private static Way way(String id, Runnable work) {
    return new Way(id, work);
  }

  private static Way way(String id) {
    return way(id, () -> {});
  }

  /** The first of them is advised. */
  private final class Ways implements Tuner.Ways<Way> {
    private final List<Way> all;

    Ways(Way... all) {
      this.all = List.of(all);
    }

    @Override
    public Optional<Way> named(String id) {
      return all.stream().filter(way -> way.id().equals(id)).findFirst();
    }

    @Override
    public Way advised() {
      return all.getFirst();
    }

    @Override
    public List<Way> candidates() {
      return all;
    }

    @Override
    public String id(Way way) {
      return way.id();
    }

    @Override
    public void run(Way way) {
      ran.add(way.id());
      way.work().run();
    }

    @Override
    public void close(Way way) {
      closed.add(way.id());
    }
  }

  private String choose(Tuner tuner, String key, Way... ways) {
    return tuner.choose(key, new Ways(ways)).id();
  }

  private Tuner tuner() {
    return new Tuner(cuda, memory, Choices.in(folder, "card"), 60);
  }

  private static Runnable failing(int error) {
    return () -> {
      throw CudaException.ofRuntime(error, "name", "text", "call");
    };
  }

  @Test
  void theFastestIsTakenAndRememberedInTheFile() {
    runtime.elapsed(3, 2, 4, 5, 1, 9, 2, 2, 2);
    try (Tuner tuner = tuner()) {
      assertThat(tuner.remembered("conv")).isEmpty();
      assertThat(choose(tuner, "conv", way("a"), way("b"), way("c"))).isEqualTo("b");
      assertThat(tuner.remembered("conv")).contains("b");
    }
    assertThat(ran).hasSize(3 * (1 + Tuner.RUNS));
    assertThat(closed).as("the losers").containsExactly("a", "c");
    ran.clear();
    try (Tuner next = tuner()) {
      assertThat(choose(next, "conv", way("a"), way("b"))).isEqualTo("b");
      assertThat(ran).as("known").isEmpty();
      assertThat(next.remembered("other")).isEmpty();
    }
    assertThat(memory.bytesUsed()).isZero();
  }

  /** Other libraries than when it was measured, under the same version. */
  @Test
  void aWayThatIsNoMoreIsChosenAnew() {
    try (Tuner tuner = tuner()) {
      choose(tuner, "conv", way("gone"));
      runtime.elapsed(3, 3, 3, 2, 2, 2);
      assertThat(choose(tuner, "conv", way("a"), way("b"))).isEqualTo("b");
      assertThat(tuner.remembered("conv")).contains("b");
    }
  }

  @Test
  void whatFailsIsLeftOutAndAllAreClosedWhereNoneWorks() {
    runtime.elapsed(8, 8, 8);
    try (Tuner tuner = tuner()) {
      assertThat(choose(tuner, "conv", way("a", failing(1)), way("b"))).isEqualTo("b");
      assertThat(closed).containsExactly("a");
      assertThatThrownBy(() -> choose(tuner, "none", way("a", failing(1)), way("b", failing(1))))
          .isInstanceOf(CudaException.class);
      assertThat(closed).containsExactly("a", "a", "b");
      assertThat(tuner.remembered("none")).isEmpty();
    }
  }

  /** The pool's own refusal, which no library gave. */
  @Test
  void aWayThatWantsMoreMemoryThanThereIsIsLeftOut() {
    runtime.elapsed(8, 8, 8);
    try (Tuner tuner = tuner()) {
      Way greedy = way("greedy", () -> memory.take(memory.bytesMax() + 1));
      assertThat(choose(tuner, "conv", greedy, way("modest"))).isEqualTo("modest");
      assertThat(tuner.remembered("conv")).contains("modest");
    }
    assertThat(memory.bytesUsed()).isZero();
  }

  @Test
  void aLostDeviceEndsTheMeasuring() {
    try (Tuner tuner = tuner()) {
      assertThatThrownBy(() -> choose(tuner, "conv", way("a", failing(700)), way("b")))
          .isInstanceOfSatisfying(CudaException.class, e -> assertThat(e.isSticky()).isTrue());
      assertThat(ran).containsExactly("a");
      assertThat(closed).containsExactly("a", "b");
    }
  }

  /** As a product does that is one of the ways of something larger. */
  @Test
  void aWayMayChooseWithinItself() {
    runtime.elapsed(3, 3, 3, 2, 2, 2);
    runtime.elapsed(5, 5, 5, 4, 4, 4);
    try (Tuner tuner = tuner()) {
      Way outer = way("a", () -> choose(tuner, "within", way("x"), way("y")));
      assertThat(choose(tuner, "conv", outer, way("b"))).isEqualTo("b");
      assertThat(tuner.remembered("within")).contains("y");
      assertThat(ran).startsWith("a", "x").endsWith("b", "b", "b", "b");
    }
    assertThat(memory.bytesUsed()).isZero();
  }

  @Test
  void nothingIsMeasuredWhenOffOrOutOfTimeOrRecording() {
    Way[] ways = {way("a"), way("b")};
    assertThat(choose(Tuner.off(cuda, memory), "conv", ways)).isEqualTo("a");
    Tuner tuner = new Tuner(cuda, memory, Choices.inMemory(), 1e-9);
    assertThat(tuner.measures()).isTrue();
    choose(tuner, "first", ways);
    ran.clear();
    assertThat(tuner.measures()).as("the time is up").isFalse();
    assertThat(choose(tuner, "second", ways)).isEqualTo("a");
    assertThat(tuner.remembered("second")).as("the same in the next process").contains("a");
    memory.startRecording();
    Tuner recorded = tuner();
    assertThat(choose(recorded, "third", ways)).isEqualTo("a");
    assertThat(recorded.remembered("third")).isEmpty();
    memory.endRecording();
    memory.forgetRecording();
    assertThat(ran).isEmpty();
    assertThat(Tuner.off(cuda, memory).remembered("first")).isEmpty();
  }

  @Test
  void theCacheClosesWhatWasNotUsedForLongest() {
    List<String> events = new ArrayList<>();
    PlanCache<Integer, String> cache =
        new PlanCache<>(2, () -> events.add("wait"), plan -> events.add("close " + plan));
    cache.put(1, "one");
    cache.put(2, "two");
    assertThat(cache.get(1)).contains("one");
    cache.put(3, "three");
    assertThat(events).containsExactly("wait", "close two");
    assertThat(cache.get(2)).isEmpty();
    cache.put(1, "another");
    assertThat(events).endsWith("wait", "close one");
    events.clear();
    cache.close();
    assertThat(events).containsExactlyInAnyOrder("close three", "close another");
    assertThat(cache.get(1)).isEmpty();
  }

  @Test
  void aDamagedOrForeignFileIsIgnoredAndWrittenAnew() throws Exception {
    Choices first = Choices.in(folder, "card");
    first.put("k", "v");
    first.close();
    Path file;
    try (var files = Files.list(folder)) {
      file = files.findFirst().orElseThrow();
    }
    String whole = Files.readString(file);
    for (String bad :
        List.of(
            "",
            "tintype cuda choices 0\ncard\nk\tv\n",
            whole.replace("card", "other card"),
            whole + "no tab\n",
            whole + "a\tb\tc\n",
            whole + "a\t\n",
            whole + "x".repeat(1000) + "\ty\n",
            "\u0000\u0001\u0002")) {
      Files.writeString(file, bad);
      assertThat(Choices.in(folder, "card").get("k")).as(bad).isEmpty();
    }
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 1});
    Choices again = Choices.in(folder, "card");
    assertThat(again.get("k")).isEmpty();
    again.put("k", "w");
    again.close();
    assertThat(Choices.in(folder, "card").get("k")).contains("w");
    assertThat(Choices.in(folder, "another").get("k")).isEmpty();
  }

  @Test
  void twoProcessesKeepEachOthersChoicesAndTheNumberIsBounded() throws Exception {
    Choices one = Choices.in(folder, "card");
    Choices two = Choices.in(folder, "card");
    one.put("a", "1");
    one.close();
    two.put("b", "2");
    two.close();
    Choices both = Choices.in(folder, "card");
    assertThat(both.get("a")).contains("1");
    assertThat(both.get("b")).contains("2");
    for (int i = 0; i < Choices.ENTRIES_MAX + 10; i++) {
      both.put("key " + i, "v");
    }
    both.close();
    try (var files = Files.list(folder)) {
      List<Path> all = files.toList();
      assertThat(all).as("no parts are left").hasSize(1);
      assertThat(Files.readAllLines(all.getFirst())).hasSize(2 + Choices.ENTRIES_MAX);
    }
  }

  @Test
  void aFolderThatCannotBeWrittenCostsAWarningOnly() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    Choices choices = Choices.in(file.resolve("below"), "card");
    choices.put("k", "v");
    choices.close();
    assertThat(choices.get("k")).contains("v");
  }
}

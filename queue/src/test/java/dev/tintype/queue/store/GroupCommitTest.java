package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GroupCommitTest {
  /** The first batch waits here, so that a test says who gathers behind it. */
  private final CountDownLatch begun = new CountDownLatch(1);

  private final CountDownLatch go = new CountDownLatch(1);
  private final List<List<String>> batches = new ArrayList<>();

  private GroupCommit<String, String> commits(int batchMax, Function<String, String> each) {
    return new GroupCommit<>(
        1,
        batchMax,
        asked -> List.of(asked.charAt(0)),
        batch -> {
          synchronized (batches) {
            batches.add(batch);
          }
          begun.countDown();
          await(go);
          return batch.stream().map(each).toList();
        });
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Enters one after the other, the first as the leader, and lets them go. */
  private List<Future<String>> together(GroupCommit<String, String> commits, String... asked) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < asked.length; i++) {
        String mine = asked[i];
        answers.add(threads.submit((Callable<String>) () -> commits.run(mine)));
        await(begun);
        while (commits.waiting() < i) {
          Thread.onSpinWait();
        }
      }
      go.countDown();
      return answers;
    }
  }

  private static List<String> got(List<Future<String>> answers) throws Exception {
    List<String> got = new ArrayList<>();
    for (Future<String> answer : answers) {
      got.add(answer.get());
    }
    return got;
  }

  @Test
  void whoIsAloneWaitsForNobody() {
    GroupCommit<String, String> commits = commits(8, String::toUpperCase);
    go.countDown();
    assertThat(commits.run("a")).isEqualTo("A");
    assertThat(commits.run("b")).isEqualTo("B");
    assertThat(batches).containsExactly(List.of("a"), List.of("b"));
  }

  @Test
  void whoComesMeanwhileGoesTogetherAndGetsTheOwnAnswer() throws Exception {
    GroupCommit<String, String> commits = commits(3, String::toUpperCase);
    assertThat(got(together(commits, "a", "b", "c", "d", "e", "f")))
        .containsExactly("A", "B", "C", "D", "E", "F");
    assertThat(batches).containsExactly(List.of("a"), List.of("b", "c", "d"), List.of("e", "f"));
    assertThat(commits.run("g")).isEqualTo("G");
  }

  @Test
  void whatMayNotGoTogetherGoesInItsOwnTurn() throws Exception {
    GroupCommit<String, String> commits = commits(8, String::toUpperCase);
    assertThat(got(together(commits, "x", "b1", "b2", "c1", "b3")))
        .containsExactly("X", "B1", "B2", "C1", "B3");
    assertThat(batches)
        .containsExactly(List.of("x"), List.of("b1", "c1"), List.of("b2"), List.of("b3"));
  }

  @Test
  void aFailureIsThatOfItsBatchOnly() throws Exception {
    GroupCommit<String, String> commits =
        commits(
            2,
            asked -> {
              if (asked.equals("bad")) {
                throw new IllegalArgumentException(asked);
              }
              return asked;
            });
    List<Future<String>> answers = together(commits, "a", "bad", "c", "d", "e");
    assertThat(answers.get(0).get()).isEqualTo("a");
    for (int i : List.of(1, 2)) {
      assertThatThrownBy(answers.get(i)::get)
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseInstanceOf(IllegalArgumentException.class);
    }
    assertThat(got(answers.subList(3, 5))).containsExactly("d", "e");
  }

  @Test
  void aLeaderThatComesToGriefLeavesNobodyWaiting() throws Exception {
    GroupCommit<String, String> commits =
        commits(
            2,
            asked -> {
              if (asked.equals("bad")) {
                throw new AssertionError(asked);
              }
              return asked;
            });
    List<Future<String>> answers = together(commits, "a", "bad", "c", "d");
    assertThatThrownBy(answers.get(1)::get).hasRootCauseInstanceOf(AssertionError.class);
    assertThatThrownBy(answers.get(2)::get).hasRootCauseInstanceOf(IllegalStateException.class);
    assertThat(answers.get(3).get()).isEqualTo("d");
  }
}

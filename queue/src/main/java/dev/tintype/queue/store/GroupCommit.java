package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Many callers' work done together: whoever comes while the leaders are busy is taken along by the
 * next one. Nobody waits for a batch to fill, so a caller who is alone pays nothing, and the busier
 * it gets the larger the batches. There is no thread of its own: the caller that has waited longest
 * leads one batch, which has its own work in it, and hands on.
 *
 * @param <Q> what a caller asks for
 * @param <A> what it gets
 */
final class GroupCommit<Q, A> {
  /** Callers that wait for a leader; each is a thread, so more than a process has. */
  static final int WAITING_MAX = 10_000;

  private final int leadersMax;
  private final int batchMax;
  private final Function<Q, List<?>> apart;
  private final Function<List<Q>, List<A>> work;

  private final ReentrantLock lock = new ReentrantLock();
  // Not empty only while all leaders are busy.
  private final Deque<Caller<Q, A>> waiting = new ArrayDeque<>();
  private int leaders;

  /**
   * @param leadersMax batches under way at once
   * @param batchMax most callers in one batch
   * @param apart of two callers who have one of these in common, one waits for the next batch
   * @param work does a batch and gives the answers in its order; bounds its own time
   */
  GroupCommit(
      int leadersMax, int batchMax, Function<Q, List<?>> apart, Function<List<Q>, List<A>> work) {
    this.leadersMax = leadersMax;
    this.batchMax = batchMax;
    this.apart = apart;
    this.work = work;
  }

  private record Caller<Q, A>(Q asked, CompletableFuture<Turn<A>> turn) {}

  /** What a waiting caller is woken with. */
  private sealed interface Turn<A> {
    record Done<A>(A answer) implements Turn<A> {}

    record Failed<A>(RuntimeException cause) implements Turn<A> {}

    record Lead<A>() implements Turn<A> {}
  }

  /**
   * Does the work, in company or alone. The wait is that of the batch before and of its own, and of
   * one more for every {@code batchMax} callers that are ahead.
   *
   * @throws RuntimeException what the work threw, the same one for every caller of the batch
   */
  A run(Q asked) {
    Caller<Q, A> caller = new Caller<>(asked, new CompletableFuture<>());
    Turn<A> turn = enter(caller) ? new Turn.Lead<>() : caller.turn.join();
    return switch (turn) {
      case Turn.Done<A> done -> done.answer;
      case Turn.Failed<A> failed -> throw failed.cause;
      case Turn.Lead<A> lead -> lead(caller);
    };
  }

  /** True if the caller leads at once, false if it waits now. */
  private boolean enter(Caller<Q, A> caller) {
    lock.lock();
    try {
      if (leaders < leadersMax) {
        leaders++;
        return true;
      }
      if (waiting.size() >= WAITING_MAX) {
        throw new QueueException.Unavailable(
            "store.timeout", "The database is too busy to answer in time; try again.", null);
      }
      waiting.addLast(caller);
      return false;
    } finally {
      lock.unlock();
    }
  }

  private A lead(Caller<Q, A> leader) {
    List<Caller<Q, A>> others = List.of();
    RuntimeException failure = new IllegalStateException("the leader of this batch came to grief");
    List<A> answers = List.of();
    try {
      others = take(leader.asked);
      List<Q> batch = new ArrayList<>(List.of(leader.asked));
      others.forEach(other -> batch.add(other.asked));
      answers = work.apply(batch);
      return answers.getFirst();
    } catch (RuntimeException e) {
      failure = e;
      throw e;
    } finally {
      handOn();
      for (int i = 0; i < others.size(); i++) {
        others
            .get(i)
            .turn
            .complete(
                answers.isEmpty()
                    ? new Turn.Failed<>(failure)
                    : new Turn.Done<>(answers.get(i + 1)));
      }
    }
  }

  /** Who goes along, from the head; who may not be in this batch keeps its place for the next. */
  private List<Caller<Q, A>> take(Q leader) {
    List<Caller<Q, A>> others = new ArrayList<>();
    Set<Object> taken = new HashSet<>(apart.apply(leader));
    lock.lock();
    try {
      Iterator<Caller<Q, A>> next = waiting.iterator();
      while (others.size() < batchMax - 1 && next.hasNext()) {
        Caller<Q, A> caller = next.next();
        List<?> own = apart.apply(caller.asked);
        if (own.stream().noneMatch(taken::contains)) {
          taken.addAll(own);
          others.add(caller);
          next.remove();
        }
      }
      return others;
    } finally {
      lock.unlock();
    }
  }

  /** How many wait for a leader now. */
  int waiting() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  private void handOn() {
    lock.lock();
    try {
      Caller<Q, A> next = waiting.pollFirst();
      if (next == null) {
        leaders--;
      } else {
        next.turn.complete(new Turn.Lead<>());
      }
    } finally {
      lock.unlock();
    }
  }
}

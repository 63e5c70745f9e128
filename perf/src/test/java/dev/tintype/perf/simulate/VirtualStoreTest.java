package dev.tintype.perf.simulate;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.CancelResult;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.SplittableRandom;

/** The store of simulations. */
class VirtualStoreTest extends StoreContract {
  private static final Tier PRO =
      Scenario.TIERS.stream().filter(tier -> tier.name().equals(TIER)).findFirst().orElseThrow();

  private final VirtualClock clock = new VirtualClock();
  private final VirtualStore store = new VirtualStore(clock, new SplittableRandom(1));

  @Override
  DispatchStore dispatch() {
    return store;
  }

  @Override
  LeaseStore leases() {
    return store;
  }

  @Override
  JobId submit(String user, JobSpec spec) {
    return store.submit(new Arrivals.Wish(user, PRO, JobMode.NORMAL, spec, 100, 100)).id;
  }

  @Override
  CancelResult cancel(JobId id) {
    return store.cancel(id);
  }

  @Override
  Job get(JobId id) {
    return store.row(id).job();
  }

  @Override
  void pass(Duration time) {
    clock.moveTo(clock.nowMs() + time.toMillis());
  }
}

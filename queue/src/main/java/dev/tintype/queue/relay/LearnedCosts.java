package dev.tintype.queue.relay;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.MeasuredJob;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Costs learned from finished jobs, as a factor on a prior guess. The factor is kept in logarithms
 * per model, pixels, steps and pictures (each but the model by powers of two), and per model for
 * what was not seen yet; an unknown model has the prior's cost. One strange measurement moves a
 * factor little: its step is cut at three times the usual deviation. It is built from the newest
 * finished jobs, so nothing else is stored. Thread-safe.
 */
public final class LearnedCosts implements CostModel {
  /** Entries kept; the one not used for longest is forgotten. */
  static final int ENTRIES_MAX = 4096;

  /** Least weight of a new measurement: the factor follows a change within about 20 jobs. */
  private static final double GAIN_MIN = 0.05;

  /** The first measurements of an entry count by their number up to this deviation: e^0.3, 35 %. */
  private static final double DEVIATION_FIRST = 0.3;

  private final CostModel prior;
  private final Map<Key, Factor> factors =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Factor> eldest) {
          return size() > ENTRIES_MAX;
        }
      };

  public LearnedCosts(CostModel prior) {
    this.prior = prior;
  }

  /** Which jobs share a factor; 0 for pixels means all of the model. */
  private record Key(String model, int pixels, int steps, int images) {}

  private static final class Factor {
    double mean;
    double deviation = DEVIATION_FIRST;
    int count;

    void add(double log) {
      count++;
      double off = count == 1 ? log : log - mean;
      double cut = count == 1 ? off : Math.max(-3 * deviation, Math.min(3 * deviation, off));
      double gain = Math.max(1.0 / count, GAIN_MIN);
      mean += gain * cut;
      deviation = Math.max(0.02, deviation + gain * (Math.abs(cut) - deviation));
    }
  }

  private static Key exact(JobSpec spec) {
    return new Key(
        spec.model(),
        32 - Integer.numberOfLeadingZeros(spec.width() * spec.height()),
        32 - Integer.numberOfLeadingZeros(spec.steps()),
        32 - Integer.numberOfLeadingZeros(spec.images()));
  }

  private static Key model(JobSpec spec) {
    return new Key(spec.model(), 0, 0, 0);
  }

  @Override
  public synchronized long estimateMs(JobSpec spec) {
    Factor factor = factors.get(exact(spec));
    if (factor == null) {
      factor = factors.get(model(spec));
    }
    double log = factor == null ? 0 : factor.mean;
    return Math.max(1, Math.round(prior.estimateMs(spec) * Math.exp(log)));
  }

  /** Learns from a finished job. */
  public synchronized void learn(MeasuredJob job) {
    double log = Math.log(Math.max(1.0, job.gpuMs()) / prior.estimateMs(job.spec()));
    factors.computeIfAbsent(exact(job.spec()), key -> new Factor()).add(log);
    factors.computeIfAbsent(model(job.spec()), key -> new Factor()).add(log);
  }
}

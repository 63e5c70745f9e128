package dev.tintype.gateway.metrics;

import dev.tintype.queue.store.SubmitResult;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/** Submissions of this process by outcome, and how long the answers took. */
public final class SubmitMetrics {
  private static final String SECONDS = "tintype_submit_seconds";
  private static final double NS_PER_S = 1e9;

  /** Upper bounds, s; the bar for a durable submission is 50 ms at the 99th percentile. */
  private static final List<Double> BOUNDS =
      List.of(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0);

  private final Map<String, LongAdder> outcomes = new LinkedHashMap<>();
  private final List<LongAdder> buckets =
      Stream.generate(LongAdder::new).limit(BOUNDS.size() + 1L).toList();
  private final LongAdder totalNs = new LongAdder();

  public SubmitMetrics() {
    for (String outcome : List.of("accepted", "replayed", "conflict", "over_limit", "refused")) {
      outcomes.put(outcome, new LongAdder());
    }
  }

  /**
   * @param tookNs from the request's head to the commit
   */
  public void submitted(SubmitResult result, long tookNs) {
    String outcome =
        switch (result) {
          case SubmitResult.Accepted accepted -> "accepted";
          case SubmitResult.Replayed replayed -> "replayed";
          case SubmitResult.Conflict conflict -> "conflict";
          case SubmitResult.OverLimit full -> "over_limit";
        };
    count(outcome, tookNs);
  }

  /** Admission refused it: the tier's queue is too long. */
  public void refused(long tookNs) {
    count("refused", tookNs);
  }

  private void count(String outcome, long tookNs) {
    outcomes.get(outcome).increment();
    double seconds = tookNs / NS_PER_S;
    int bucket = 0;
    while (bucket < BOUNDS.size() && seconds > BOUNDS.get(bucket)) {
      bucket++;
    }
    buckets.get(bucket).increment();
    totalNs.add(tookNs);
  }

  void write(Exposition page) {
    String total = "tintype_submissions_total";
    page.family(total, "counter", "Submissions by outcome.");
    outcomes.forEach(
        (outcome, count) -> page.sample(total, Map.of("outcome", outcome), count.sum()));
    page.family(SECONDS, "histogram", "From a submission's head to its commit.");
    long below = 0;
    for (int i = 0; i < BOUNDS.size(); i++) {
      below += buckets.get(i).sum();
      page.sample(SECONDS + "_bucket", Map.of("le", Exposition.number(BOUNDS.get(i))), below);
    }
    below += buckets.getLast().sum();
    page.sample(SECONDS + "_bucket", Map.of("le", "+Inf"), below);
    page.sample(SECONDS + "_sum", Map.of(), totalNs.sum() / NS_PER_S);
    page.sample(SECONDS + "_count", Map.of(), below);
  }
}

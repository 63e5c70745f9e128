package dev.tintype.perf.simulate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/**
 * What came of a scenario.
 *
 * @param accepted jobs
 * @param lost accepted and never ended
 * @param doubled results that became visible twice, or without their job succeeding
 * @param broken other promises that did not hold: a result of an old lease, a death without a cause
 * @param dead crashed or failed too often, with a cause
 * @param fenced writes of lost leases that were refused
 * @param utilisation useful GPU time over all GPU time, until the last job ended
 * @param jain fairness between users, see {@link Tally}
 * @param capacityMin least part of the GPUs that was there
 */
record Outcome(
    Scenario scenario,
    long accepted,
    long lost,
    long doubled,
    long broken,
    long dead,
    long fenced,
    double utilisation,
    double jain,
    double capacityMin,
    List<Lane> lanes) {
  /** One lane of a tier; waits from the acceptance to the first lease, in seconds. */
  record Lane(
      String name,
      long accepted,
      long refused,
      long late,
      double p50,
      double p99,
      double max,
      double bound) {}

  private static final ObjectMapper MAPPER = new ObjectMapper();

  long late() {
    return lanes.stream().mapToLong(Lane::late).sum();
  }

  /**
   * The bound is promised by our order alone, and while its assumptions hold: no more GPUs away
   * than the reserve, estimates within a third, hardly a wake-up lost (docs/scheduling.md).
   */
  boolean boundPromised() {
    return scenario.order() == Scenario.Order.FAIR
        && capacityMin >= 1 - Scenario.RESERVE
        && scenario.faults().slowFactor() <= 4.0 / 3;
  }

  /** Every promise held. */
  boolean good() {
    return lost == 0 && doubled == 0 && broken == 0 && (late() == 0 || !boundPromised());
  }

  String table() {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%-16s %9s %9s %10s %10s %10s %9s %6s",
        "tier",
        "accepted",
        "refused",
        "p50 s",
        "p99 s",
        "max s",
        "bound s",
        "late");
    for (Lane lane : lanes) {
      line(
          text,
          "%-16s %9d %9d %10.1f %10.1f %10.1f %9.0f %6d",
          lane.name(),
          lane.accepted(),
          lane.refused(),
          lane.p50(),
          lane.p99(),
          lane.max(),
          lane.bound(),
          lane.late());
    }
    line(
        text,
        "%d accepted, %d lost, %d doubled, %d dead with a cause, %d late writes refused",
        accepted,
        lost,
        doubled,
        dead,
        fenced);
    line(
        text,
        "utilisation %.1f %%, Jain %.4f, at least %.1f %% of the GPUs there",
        utilisation * 100,
        jain,
        capacityMin * 100);
    return text.toString();
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  String json() {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("lost", lost).put("doubled", doubled);
    root.put("utilisation", rounded(utilisation)).put("jain", rounded(jain));
    ArrayNode tiers = root.putArray("tiers");
    for (Lane lane : lanes) {
      tiers
          .addObject()
          .put("name", lane.name())
          .put("wait_p50_s", rounded(lane.p50()))
          .put("wait_p99_s", rounded(lane.p99()))
          .put("wait_max_s", rounded(lane.max()))
          .put("bound_s", lane.bound());
    }
    return root.toString();
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }
}

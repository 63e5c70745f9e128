package dev.tintype.perf.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.perf.chaos.History.Promise;
import java.util.List;
import java.util.Locale;

/**
 * What a run showed.
 *
 * @param pictures different pictures whose bytes were read and matched
 * @param drainMs from the last fault until everything was answered and ended
 */
record Verdict(
    ChaosConfig config, History history, Saboteurs saboteurs, int pictures, long drainMs) {

  boolean kept() {
    return history.violations().isEmpty();
  }

  private long broken(Promise promise) {
    return history.violations().stream().filter(one -> one.promise() == promise).count();
  }

  private static void counts(ObjectNode node, String sum, String each, Saboteur saboteur) {
    node.put(sum, saboteur.done().values().stream().mapToInt(Integer::intValue).sum());
    ObjectNode kinds = node.putObject(each);
    saboteur.done().forEach(kinds::put);
  }

  /** The line that programs read. */
  ObjectNode json() {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("accepted", history.accepted().size());
    node.put("lost", broken(Promise.LOST));
    node.put("doubled", broken(Promise.DOUBLED));
    node.put("fence_violations", broken(Promise.FENCE));
    counts(node, "kills", "killed", saboteurs.kills());
    counts(node, "pauses", "paused", saboteurs.pauses());
    counts(node, "line_faults", "lines", saboteurs.lines());
    node.put("late", broken(Promise.BOUND));
    node.put("byte_violations", broken(Promise.BYTES));
    node.put("bad_answers", broken(Promise.ANSWER));
    for (String state : List.of("succeeded", "failed", "canceled", "expired", "dead")) {
      node.put(state, history.endedAs(state));
    }
    node.put("requests", history.requests.get());
    node.put("answers_lost", history.lostAnswers.get());
    node.put("refusals", history.refusals.get());
    node.put("retries", history.retries.get());
    node.put("replays", history.replays.get());
    node.put("events", history.events.get());
    node.put("reconnects", history.reconnects.get());
    node.put("pictures", pictures);
    node.put("drain_s", drainMs / 1000.0);
    node.put("seconds", config.time().toSeconds());
    node.put("seed", config.seed());
    node.put("mode", config.mode().name().toLowerCase(Locale.ROOT));
    return node;
  }
}

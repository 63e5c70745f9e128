package dev.tintype.queue.relay;

import dev.tintype.queue.fleet.Workforce.Capacity;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How many wake-ups still fit into the transport in one round: twice what the workers can hold, in
 * all and for each model. A model has room of its own so that one whose wake-ups nobody takes
 * cannot fill the transport for the others; what lies there for models without a worker counts for
 * nothing, for the same reason.
 */
final class Rooms {
  private final Map<String, Integer> byModel = new TreeMap<>();
  private int total;

  /**
   * @param depths wake-ups that wait in the transport, by model
   * @param depthMin least wake-ups kept there, in all and for each model that has a worker
   */
  Rooms(Capacity capacity, Map<String, Integer> depths, int depthMin) {
    int waiting = 0;
    for (Map.Entry<String, Integer> model : capacity.byModel().entrySet()) {
      int depth = depths.getOrDefault(model.getKey(), 0);
      waiting += depth;
      int room = Math.max(depthMin, 2 * model.getValue()) - depth;
      if (model.getValue() > 0 && room > 0) {
        byModel.put(model.getKey(), room);
      }
    }
    total = byModel.isEmpty() ? 0 : Math.max(depthMin, 2 * capacity.slots()) - waiting;
  }

  /** In all. */
  int total() {
    int most = byModel.values().stream().mapToInt(Integer::intValue).sum();
    return Math.max(0, Math.min(total, most));
  }

  /** The models that have room. */
  Set<String> models() {
    return Set.copyOf(byModel.keySet());
  }

  /** Takes one place; false where there is none for that model. */
  boolean take(String model) {
    if (total <= 0 || !byModel.containsKey(model)) {
      return false;
    }
    total--;
    byModel.computeIfPresent(model, (name, room) -> room > 1 ? room - 1 : null);
    return true;
  }
}

package dev.tintype.perf.chaos;

import java.util.List;

/** The three that work at the same time. */
record Saboteurs(Saboteur kills, Saboteur pauses, Saboteur lines) {
  List<Saboteur> all() {
    return List.of(kills, pauses, lines);
  }
}

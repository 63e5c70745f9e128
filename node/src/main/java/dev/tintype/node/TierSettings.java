package dev.tintype.node;

import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The tiers as settings have them: {@code tiers.NAME.FIELD}. They are all the tiers there are. What
 * is left out of one is as in the tier of that name that a new installation has, and as in {@code
 * standard} for other names, which need a weight and a bound of their own.
 */
final class TierSettings {
  static final String KEY = "tiers";
  static final int TIERS_MAX = 32;

  /** The tiers of a new installation, as the database's first schema has them. */
  static final List<Tier> DEFAULTS =
      List.of(
          tier("free", 1, 3600, 1, 20, 7, TierClass.RELAXED),
          tier("standard", 4, 900, 4, 200, 30, TierClass.NORMAL),
          tier("fast", 8, 300, 8, 500, 90, TierClass.PRIORITY),
          tier("pro", 16, 120, 32, 5_000, 365, TierClass.PRIORITY),
          tier("enterprise", 32, 60, 256, 50_000, 365, TierClass.PRIORITY));

  private static final List<String> FIELDS =
      List.of(
          "weight",
          "max_wait_s",
          "running_max",
          "queued_max",
          "retention_s",
          "class",
          "fast_gpu_seconds",
          "pool",
          "pool_spills");

  private TierSettings() {}

  private static Tier tier(
      String name, int weight, int boundS, int running, int queued, int days, TierClass lane) {
    return new Tier(
        name, weight, Duration.ofSeconds(boundS), running, queued, Duration.ofDays(days), lane);
  }

  static boolean has(String key) {
    return key.equals(KEY) || key.startsWith(KEY + ".");
  }

  /**
   * Empty where the settings say nothing of tiers.
   *
   * @param values all settings
   */
  static Optional<List<Tier>> read(Map<String, String> values) {
    Map<String, Map<String, String>> named = new TreeMap<>();
    boolean any = false;
    for (Map.Entry<String, String> entry : values.entrySet()) {
      if (has(entry.getKey())) {
        any = true;
        place(entry.getKey(), entry.getValue(), named);
      }
    }
    if (!any) {
      return Optional.empty();
    }
    if (named.isEmpty() || named.size() > TIERS_MAX) {
      throw refused("tiers names 1 to " + TIERS_MAX + " tiers; found " + named.size() + ".");
    }
    List<Tier> tiers = new ArrayList<>();
    named.forEach((name, fields) -> tiers.add(read(name, fields)));
    return Optional.of(List.copyOf(tiers));
  }

  /** {@code tiers.night.weight = 2}; {@code tiers.free} alone is that tier as it is by default. */
  private static void place(String key, String value, Map<String, Map<String, String>> named) {
    String[] parts = key.split("\\.", -1);
    if (parts.length == 1 && value.isEmpty()) {
      return;
    }
    if (parts.length == 2 && value.isEmpty()) {
      named.computeIfAbsent(parts[1], name -> new TreeMap<>());
    } else if (parts.length == 3) {
      named.computeIfAbsent(parts[1], name -> new TreeMap<>()).put(parts[2], value);
    } else {
      throw refused(
          "tiers has one entry per tier, such as tiers: { night: { weight: 2, max_wait_s: 43200 }"
              + " }; found "
              + key
              + ".");
    }
  }

  private static Tier read(String name, Map<String, String> given) {
    String key = KEY + "." + name;
    for (String field : given.keySet()) {
      if (!FIELDS.contains(field)) {
        throw refused(
            key + " has no " + field + "; known ones are " + String.join(", ", FIELDS) + ".");
      }
    }
    if (!name.matches("[a-z0-9][a-z0-9_-]{0,31}")) {
      throw refused(
          key
              + ": a tier's name has 1 to 32 lower-case letters, digits, - and _, no - or _"
              + " first.");
    }
    Optional<Tier> known = DEFAULTS.stream().filter(tier -> tier.name().equals(name)).findFirst();
    if (known.isEmpty() && !given.keySet().containsAll(List.of("weight", "max_wait_s"))) {
      throw refused(key + " needs a weight and max_wait_s, the bound of waiting in seconds.");
    }
    Tier base = known.orElseGet(() -> Tier.byDefault(DEFAULTS));
    Reader reader = new Reader(key, given);
    return new Tier(
        name,
        (int) reader.whole("weight", base.weight(), 1, 1_000),
        Duration.ofSeconds(
            reader.whole(
                "max_wait_s", base.maxWait().toSeconds(), 1, Tier.MAX_WAIT_MAX.toSeconds())),
        (int) reader.whole("running_max", base.runningMax(), 1, 1_000_000),
        (int) reader.whole("queued_max", base.queuedMax(), 1, 10_000_000),
        Duration.ofSeconds(
            reader.whole(
                "retention_s", base.retention().toSeconds(), 60, Tier.RETENTION_MAX.toSeconds())),
        reader.tierClass(base.tierClass()),
        reader.fast(),
        reader.pool(),
        reader.truth("pool_spills"));
  }

  /** The fields of one tier. */
  private record Reader(String key, Map<String, String> given) {
    private Optional<String> text(String field) {
      return Optional.ofNullable(given.get(field)).filter(value -> !value.isEmpty());
    }

    long whole(String field, long byDefault, long min, long max) {
      String value = text(field).orElse(Long.toString(byDefault));
      try {
        long number = Long.parseLong(value);
        if (number >= min && number <= max) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Refused below, like a number out of range.
      }
      throw refused(
          key + "." + field + " is a whole number from " + min + " to " + max + "; found " + value);
    }

    /** Without a limit unless there is a number. */
    OptionalLong fast() {
      return text("fast_gpu_seconds").filter(value -> !value.equals("unlimited")).isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(whole("fast_gpu_seconds", 0, 0, Tier.FAST_GPU_SECONDS_MAX));
    }

    Optional<String> pool() {
      return text("pool")
          .map(
              name -> {
                if (!Tier.isPool(name)) {
                  throw refused(
                      key
                          + ".pool is the name of a pool of workers (their worker.pool): 1 to 32"
                          + " lower-case letters, digits, - and _; found "
                          + name);
                }
                return name;
              });
    }

    boolean truth(String field) {
      String value = text(field).orElse("false");
      if (!value.equals("true") && !value.equals("false")) {
        throw refused(key + "." + field + " is true or false; found " + value);
      }
      return value.equals("true");
    }

    TierClass tierClass(TierClass byDefault) {
      String value = text("class").orElse(byDefault.wire());
      return Arrays.stream(TierClass.values())
          .filter(one -> one.wire().equals(value))
          .findFirst()
          .orElseThrow(
              () ->
                  refused(
                      key
                          + ".class is one of "
                          + Arrays.stream(TierClass.values())
                              .map(TierClass::wire)
                              .collect(Collectors.joining(", "))
                          + "; found "
                          + value));
    }
  }

  private static NodeException.Config refused(String message) {
    return new NodeException.Config("config.tiers", message);
  }
}

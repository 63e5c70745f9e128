package dev.tintype.gateway.prompt;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The parameters that a prompt may carry. */
public enum PromptParameter {
  ASPECT_RATIO("--ar", List.of("ar", "aspect"), "16:9"),
  SEED("--seed", List.of("seed"), "7"),
  NEGATIVE("--no", List.of("no"), "text, people"),
  STEPS("--steps", List.of("steps"), "30"),
  GUIDANCE("--cfg", List.of("cfg"), "7.5"),
  MODEL("--model", List.of("model"), "tintype-mini"),
  IMAGES("--images", List.of("images", "n"), "4"),
  FAST("--fast", List.of("fast"), ""),
  RELAX("--relax", List.of("relax"), "");

  /** The one parameter with a short name, -n. */
  static final String SHORT_IMAGES = "n";

  private final String flag;
  private final List<String> names;
  private final String example;

  PromptParameter(String flag, List<String> names, String example) {
    this.flag = flag;
    this.names = names;
    this.example = example;
  }

  /** As users type it: "--ar". */
  public String flag() {
    return flag;
  }

  /** False for a parameter that says all by standing there. */
  boolean hasValue() {
    return !example.isEmpty();
  }

  /** A valid value, for messages and hints; empty where there is none. */
  public String example() {
    return example;
  }

  /** Finds a parameter by its name without dashes, in any case. */
  static Optional<PromptParameter> named(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return Arrays.stream(values()).filter(parameter -> parameter.names.contains(lower)).findFirst();
  }

  /** "--ar, --seed, ...", for the message about an unknown one. */
  static String known() {
    return Arrays.stream(values())
        .map(one -> one == IMAGES ? one.flag + " (or -n)" : one.flag)
        .collect(Collectors.joining(", "));
  }
}

package dev.tintype.sampler.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.config.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A config.json, asked by key, type and range. Absent and null mean the default of the published
 * class. Every error names file, key, and what was found.
 */
public final class ConfigReader {
  private final String file;
  private final JsonNode node;

  public ConfigReader(String file, JsonNode node) {
    this.file = file;
    this.node = node;
    if (!node.isObject()) {
      throw new ModelException("model.config", file + ": is not a JSON object");
    }
  }

  /** Reads config.json of a model folder. */
  public static ConfigReader ofFolder(Path folder) {
    return ofFile(folder.resolve("config.json"));
  }

  public static ConfigReader ofFile(Path path) {
    return new ConfigReader(path.toString(), JsonFile.read(path));
  }

  /** The object under {@code key}. */
  public ConfigReader object(String key) {
    return new ConfigReader(file + " " + key, node.path(key));
  }

  private Optional<JsonNode> value(String key) {
    JsonNode value = node.path(key);
    return value.isMissingNode() || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  public boolean has(String key) {
    return value(key).isPresent();
  }

  public int integer(String key, int absent, int min, int max) {
    return value(key).map(v -> integer(key, v, min, max)).orElse(absent);
  }

  public int integer(String key, int min, int max) {
    return integer(key, value(key).orElseThrow(() -> missing(key)), min, max);
  }

  private int integer(String key, JsonNode value, int min, int max) {
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < min
        || value.intValue() > max) {
      throw wrong(key, value, "a whole number from " + min + " to " + max);
    }
    return value.intValue();
  }

  public double number(String key, double absent, double min, double max) {
    Optional<JsonNode> found = value(key);
    if (found.isEmpty()) {
      return absent;
    }
    double number = found.get().isNumber() ? found.get().doubleValue() : Double.NaN;
    if (!(number >= min && number <= max)) {
      throw wrong(key, found.get(), "a number from " + min + " to " + max);
    }
    return number;
  }

  public boolean flag(String key, boolean absent) {
    Optional<JsonNode> found = value(key);
    if (found.isPresent() && !found.get().isBoolean()) {
      throw wrong(key, found.get(), "true or false");
    }
    return found.map(JsonNode::booleanValue).orElse(absent);
  }

  public String text(String key, String absent) {
    Optional<JsonNode> found = value(key);
    if (found.isPresent() && !found.get().isTextual()) {
      throw wrong(key, found.get(), "a string");
    }
    return found.map(JsonNode::textValue).orElse(absent);
  }

  /** A list of 1 to {@code countMax} whole numbers. */
  public List<Integer> integers(String key, int countMax, int min, int max) {
    JsonNode list = list(key, countMax);
    List<Integer> values = new ArrayList<>();
    list.forEach(v -> values.add(integer(key, v, min, max)));
    return List.copyOf(values);
  }

  /** One whole number for all of {@code count} items, or a list with one for each. */
  public List<Integer> integerPerItem(String key, int absent, int count, int min, int max) {
    Optional<JsonNode> found = value(key);
    if (found.isPresent() && found.get().isArray()) {
      List<Integer> values = integers(key, count, min, max);
      if (values.size() != count) {
        throw wrong(key, found.get(), "one number, or a list of " + count);
      }
      return values;
    }
    return Collections.nCopies(count, integer(key, absent, min, max));
  }

  /** A list of numbers, empty when absent. */
  public List<Double> numbers(String key, int countMax) {
    if (!has(key)) {
      return List.of();
    }
    List<Double> values = new ArrayList<>();
    for (JsonNode v : list(key, countMax)) {
      if (!v.isNumber() || !Double.isFinite(v.doubleValue())) {
        throw wrong(key, v, "a number");
      }
      values.add(v.doubleValue());
    }
    return List.copyOf(values);
  }

  /** A list of exactly {@code count} strings, each one of {@code allowed}. */
  public List<String> texts(String key, int count, List<String> allowed) {
    JsonNode list = list(key, count);
    List<String> values = new ArrayList<>();
    for (JsonNode v : list) {
      if (!v.isTextual() || !allowed.contains(v.textValue())) {
        throw unsupported(key, v, "supported are " + allowed);
      }
      values.add(v.textValue());
    }
    if (values.size() != count) {
      throw wrong(key, list, "a list of " + count);
    }
    return List.copyOf(values);
  }

  private JsonNode list(String key, int countMax) {
    JsonNode list = value(key).orElseThrow(() -> missing(key));
    if (!list.isArray() || list.isEmpty() || list.size() > countMax) {
      throw wrong(key, list, "a list of 1 to " + countMax);
    }
    return list;
  }

  /** A string that must be one of {@code allowed}. */
  public String oneOf(String key, String absent, String... allowed) {
    String found = text(key, absent);
    if (!Arrays.asList(allowed).contains(found)) {
      throw unsupported(key, node.path(key), "supported are " + Arrays.asList(allowed));
    }
    return found;
  }

  /** These features are not in the engine: absent, null, false, or a list of only those. */
  public void absent(String... keys) {
    for (String key : keys) {
      value(key)
          .filter(v -> !isOff(v))
          .ifPresent(
              v -> {
                throw unsupported(key, v, "this engine does not have it");
              });
    }
  }

  private static boolean isOff(JsonNode value) {
    if (value.isArray()) {
      for (JsonNode item : value) {
        if (!isOff(item)) {
          return false;
        }
      }
      return true;
    }
    return value.isNull() || (value.isBoolean() && !value.booleanValue());
  }

  /** A number that may be given, but only as this value. */
  public void only(String key, double supported) {
    value(key)
        .filter(v -> !v.isNumber() || v.doubleValue() != supported)
        .ifPresent(
            v -> {
              throw unsupported(key, v, "supported is " + supported);
            });
  }

  /** A rule between keys of this file. */
  public void check(boolean holds, String rule) {
    if (!holds) {
      throw new ModelException("model.config", file + ": " + rule);
    }
  }

  private ModelException missing(String key) {
    return new ModelException("model.config", file + ": " + key + " is missing");
  }

  private ModelException wrong(String key, JsonNode found, String expected) {
    return new ModelException(
        "model.config", file + ": " + key + " is " + shown(found) + ", expected " + expected);
  }

  private ModelException unsupported(String key, JsonNode found, String hint) {
    return new ModelException(
        "model.unsupported", file + ": " + key + " is " + shown(found) + "; " + hint);
  }

  private static String shown(JsonNode found) {
    String text = Objects.toString(found);
    return text.length() > 100 ? text.substring(0, 100) + "..." : text;
  }
}

package dev.tintype.node;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.ConstructNode;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.DuplicateKeyException;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.resolver.FailsafeScalarResolver;
import org.snakeyaml.engine.v2.resolver.ScalarResolver;
import org.snakeyaml.engine.v2.schema.Schema;

/**
 * Settings as YAML 1.2: the keys of the flat file, nested at their dots. Plain data only: no tags,
 * no aliases (which could blow up), no key twice. Values stay the text that was written: a password
 * 12e3 is no number.
 */
final class YamlSettings {
  private static final int DEPTH_MAX = 8;

  private YamlSettings() {}

  /** {@code {"kafka.bootstrap": "kafka:9092", ...}}; a list becomes a text with commas. */
  static Map<String, String> read(Path file, String text) {
    Map<String, String> flat = new TreeMap<>();
    try {
      LoadSettings settings =
          LoadSettings.builder()
              .setLabel(file.toString())
              .setAllowDuplicateKeys(false)
              .setMaxAliasesForCollections(0)
              .setAllowRecursiveKeys(false)
              .setSchema(new TextOnly())
              .build();
      checkDepth(settings, text, file);
      Object root = new Load(settings).loadFromString(text);
      if (root != null) {
        flatten("", root, flat, file);
      }
      return flat;
    } catch (DuplicateKeyException e) {
      throw new NodeException.Config(
          "config.file", file + " has the same key twice" + line(e) + "; keep one.");
    } catch (YamlEngineException e) {
      // Its text would quote the line, which may hold a secret.
      throw new NodeException.Config(
          "config.file", file + " is no YAML that can be read" + line(e) + ".");
    }
  }

  private static String line(YamlEngineException e) {
    return e instanceof MarkedYamlEngineException marked
        ? marked.getProblemMark().map(mark -> " at line " + (mark.getLine() + 1)).orElse("")
        : "";
  }

  /** Before anything is built: building goes as deep in the stack as the file is nested. */
  private static void checkDepth(LoadSettings settings, String text, Path file) {
    int depth = 0;
    for (Event event : new Parse(settings).parseString(text)) {
      depth += event instanceof CollectionStartEvent ? 1 : 0;
      depth -= event instanceof CollectionEndEvent ? 1 : 0;
      if (depth > DEPTH_MAX) {
        throw new NodeException.Config(
            "config.file", file + " is nested deeper than " + DEPTH_MAX + " levels.");
      }
    }
  }

  /** YAML's failsafe schema, in which every scalar is text, and nothing at all is null. */
  private static final class TextOnly implements Schema {
    @Override
    public ScalarResolver getScalarResolver() {
      return new FailsafeScalarResolver();
    }

    @Override
    public Map<Tag, ConstructNode> getSchemaTagConstructors() {
      return Map.of(Tag.NULL, nothing -> null);
    }
  }

  private static void flatten(String key, Object value, Map<String, String> flat, Path file) {
    switch (value) {
      // tiers: {} names no tier, which is not the same as saying nothing of tiers.
      case Map<?, ?> map when map.isEmpty() && TierSettings.has(key) -> put(key, "", flat, file);
      case Map<?, ?> map ->
          map.forEach(
              (name, inner) ->
                  flatten(
                      key.isEmpty() ? String.valueOf(name) : key + "." + name,
                      inner == null ? "" : inner,
                      flat,
                      file));
      case List<?> list when !key.isEmpty() && list.stream().noneMatch(YamlSettings::nested) ->
          put(key, list.stream().map(String::valueOf).collect(Collectors.joining(",")), flat, file);
      case String text when !key.isEmpty() -> put(key, text, flat, file);
      default ->
          throw new NodeException.Config(
              "config.file",
              file + " has settings as \"key: value\" lines, nested or with dots; see " + key);
    }
  }

  /** {@code a: {b: 1}} and {@code a.b: 2} are the same key. */
  private static void put(String key, String value, Map<String, String> flat, Path file) {
    if (flat.putIfAbsent(key, value) != null) {
      throw new NodeException.Config("config.file", file + " has " + key + " twice; keep one.");
    }
  }

  private static boolean nested(Object value) {
    return value == null || value instanceof Map || value instanceof List;
  }
}

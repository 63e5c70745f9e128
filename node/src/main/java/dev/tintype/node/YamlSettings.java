package dev.tintype.node;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Settings as YAML 1.2: the keys of the flat file, nested at their dots. Plain data only: no tags,
 * no aliases (which could blow up), no key twice.
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
              .build();
      Object root = new Load(settings).loadFromString(text);
      if (root != null) {
        flatten("", root, flat, file, 0);
      }
      return flat;
    } catch (YamlEngineException e) {
      // Its text would quote the line, which may hold a secret.
      String place =
          e instanceof org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException marked
              ? marked.getProblemMark().map(mark -> " at line " + (mark.getLine() + 1)).orElse("")
              : "";
      throw new NodeException.Config(
          "config.file", file + " is no YAML that can be read" + place + ".");
    }
  }

  private static void flatten(
      String key, Object value, Map<String, String> flat, Path file, int depth) {
    switch (value) {
      case Map<?, ?> map when depth < DEPTH_MAX ->
          map.forEach(
              (name, inner) ->
                  flatten(
                      key.isEmpty() ? String.valueOf(name) : key + "." + name,
                      inner == null ? "" : inner,
                      flat,
                      file,
                      depth + 1));
      case List<?> list when !key.isEmpty() && list.stream().noneMatch(YamlSettings::nested) ->
          flat.put(key, list.stream().map(String::valueOf).collect(Collectors.joining(",")));
      case String text when !key.isEmpty() -> flat.put(key, text);
      case Number number when !key.isEmpty() -> flat.put(key, number.toString());
      case Boolean truth when !key.isEmpty() -> flat.put(key, truth.toString());
      default ->
          throw new NodeException.Config(
              "config.file",
              file + " has settings as \"key: value\" lines, nested or with dots; see " + key);
    }
  }

  private static boolean nested(Object value) {
    return value == null || value instanceof Map || value instanceof List;
  }
}

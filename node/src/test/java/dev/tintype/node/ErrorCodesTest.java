package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** docs/errors.md has every code that any module or the launcher can show, and no other. */
class ErrorCodesTest {
  private static final String CODE = "\"([a-z][a-z0-9_]*(?:\\.[a-z0-9_]+)+)\"";
  private static final Pattern LITERAL = Pattern.compile(CODE);
  private static final Pattern DEFINED =
      Pattern.compile("class (\\w+)\\s+extends\\s+\\w*Exception\\b");

  /** {@code "config." + key}: the codes of that beginning are made, not written. */
  private static final Pattern PREFIX = Pattern.compile("\"([a-z][a-z0-9_.]*\\.)\"\\s*\\+");

  /** Settings whose range the reader checks, and refuses as config.KEY. */
  private static final Pattern CHECKED =
      Pattern.compile("\\b(?:whole|truth)\\(\\s*\"([a-z0-9_.]+)\"");

  private static final Pattern LAUNCHER = Pattern.compile("\\bdie ([a-z]+\\.[a-z_]+)");

  /**
   * Names of files, properties, tensors and events that look like codes of a family that has some.
   */
  private static final Set<String> NO_CODES =
      Set.of(
          "config.json",
          "edge.properties",
          "edge.stderr",
          "java.class.path",
          "java.home",
          "model.fp16",
          "node.id",
          "node.lock",
          "scale.wanted");

  /** Code-like literals, with the file that has them. */
  private static final Map<String, String> LITERALS = new TreeMap<>();

  /** Literals that are an exception's first argument, or its second after the status. */
  private static final Set<String> RAISED = new TreeSet<>();

  private static final Set<String> PREFIXES = new TreeSet<>();
  private static final Set<String> SETTINGS = new TreeSet<>(SettingsReader.KEYS);
  private static final Set<String> DOCUMENTED = new TreeSet<>();

  @BeforeAll
  static void read() throws IOException {
    List<Path> sources = sources();
    Map<Path, String> texts = new TreeMap<>();
    Set<String> exceptions = new TreeSet<>(Set.of("JobFailure"));
    for (Path source : sources) {
      String text = Files.readString(source, StandardCharsets.UTF_8);
      texts.put(source, text);
      exceptions.addAll(groups(DEFINED, text));
      PREFIXES.addAll(groups(PREFIX, text));
      String name = source.getFileName().toString();
      groups(LITERAL, text).forEach(code -> LITERALS.put(code, name));
      if (name.equals("EdgeConfigReader.java")) {
        SETTINGS.addAll(groups(LITERAL, text));
      }
      if (name.equals("SettingsReader.java")) {
        groups(CHECKED, text).forEach(key -> RAISED.add("config." + key));
      }
    }
    Pattern raised =
        Pattern.compile(
            "new (?:\\w+\\.)*(?:"
                + String.join("|", exceptions)
                + ")\\(\\s*(?:\\d{3},\\s*)?"
                + CODE);
    texts.values().forEach(text -> RAISED.addAll(groups(raised, text)));
    Path root = Homes.repository();
    RAISED.addAll(groups(LAUNCHER, Files.readString(root.resolve("tintype"))));
    for (String line : Files.readAllLines(root.resolve("docs/errors.md"))) {
      if (line.startsWith("| ") && line.indexOf(" |", 2) > 0) {
        for (String code : line.substring(2, line.indexOf(" |", 2)).split(", ")) {
          DOCUMENTED.add(code.replace("`", "").strip());
        }
      }
    }
    DOCUMENTED.remove("code");
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> modules = Files.list(Homes.repository())) {
      for (Path module : modules.map(folder -> folder.resolve("src/main/java")).toList()) {
        if (Files.isDirectory(module)) {
          try (Stream<Path> files = Files.walk(module)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
          }
        }
      }
    }
    return sources;
  }

  private static Set<String> groups(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    Set<String> found = new TreeSet<>();
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  private static String family(String code) {
    return code.substring(0, code.indexOf('.'));
  }

  @Test
  void everyCodeIsDocumented() {
    Set<String> families =
        Stream.concat(RAISED.stream(), DOCUMENTED.stream().filter(code -> code.contains(".")))
            .map(ErrorCodesTest::family)
            .collect(Collectors.toSet());
    Set<String> codes = new TreeSet<>(RAISED);
    LITERALS.keySet().stream()
        .filter(code -> families.contains(family(code)))
        .filter(code -> !SETTINGS.contains(code) && !NO_CODES.contains(code))
        .forEach(codes::add);
    codes.removeIf(code -> DOCUMENTED.contains(code) || documentedAsPattern(code));
    assertThat(codes).as("codes missing in docs/errors.md").isEmpty();
    assertThat(RAISED).hasSizeGreaterThan(150).contains("build.missing", "golden.dtype");
  }

  /** {@code job.spec.FIELD} stands for all that begins so. */
  private static boolean documentedAsPattern(String code) {
    return DOCUMENTED.stream()
        .filter(known -> known.matches(".*\\.[A-Z]+"))
        .anyMatch(known -> code.startsWith(known.substring(0, known.lastIndexOf('.') + 1)));
  }

  @Test
  void everyDocumentedCodeCanBeMet() {
    Set<String> unmet = new TreeSet<>(DOCUMENTED);
    unmet.removeAll(RAISED);
    unmet.removeAll(LITERALS.keySet());
    unmet.remove("internal");
    unmet.removeIf(code -> PREFIXES.stream().anyMatch(code::startsWith));
    assertThat(unmet).as("codes that nobody raises").isEmpty();
  }

  @Test
  void whatIsNoCodeIsStillInTheSources() {
    assertThat(LITERALS).containsKeys(NO_CODES.toArray(String[]::new));
  }
}

package dev.tintype.node;

import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Makes a {@link NodeConfig}: a flag beats the environment, which beats the file, which beats the
 * default. Key {@code public_url} is {@code TINTYPE_PUBLIC_URL} in the environment. Unknown keys
 * are errors: a mistyped setting must not be ignored.
 */
public final class SettingsReader {
  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final String ENV_PREFIX = "TINTYPE_";

  /** All keys but those that start with {@code edge.}. */
  public static final List<String> KEYS =
      List.of(
          "data",
          "host",
          "port",
          "roles",
          "models",
          "model",
          "device",
          "deterministic",
          "public_url",
          "drain_s",
          "batch",
          "database.url",
          "database.user",
          "database.password");

  private final Map<String, String> values = new TreeMap<>();
  private final Path home;

  /**
   * @param home folder of the program, where {@code models} is
   */
  public SettingsReader(Path home) {
    this.home = home;
  }

  /** Adds a file of {@code key = value} lines (java.util.Properties, UTF-8). */
  public SettingsReader file(Path file) {
    Properties properties = new Properties();
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new NodeException.Config("config.file", file + " is larger than 1 MiB.");
      }
      try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
        properties.load(reader);
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new NodeException.Config(
          "config.file", "The settings in " + file + " cannot be read: " + IoReason.of(e) + ".");
    }
    for (String key : properties.stringPropertyNames()) {
      if (!KEYS.contains(key) && !key.startsWith("edge.")) {
        throw new NodeException.Config(
            "config.unknown",
            "\""
                + key
                + "\" in "
                + file
                + " is no setting; known ones are "
                + KEYS
                + " and edge.*.");
      }
      values.put(key, properties.getProperty(key).strip());
    }
    return this;
  }

  /** Adds what the environment sets. */
  public SettingsReader environment(Map<String, String> environment) {
    for (String key : KEYS) {
      String name = ENV_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_');
      Optional.ofNullable(environment.get(name))
          .filter(value -> !value.isBlank())
          .ifPresent(value -> values.put(key, value.strip()));
    }
    return this;
  }

  /** Adds a flag where it was given. */
  public SettingsReader flag(String key, Object value) {
    if (value != null) {
      values.put(key, value.toString());
    }
    return this;
  }

  /** Checks everything. */
  public NodeConfig read() {
    Map<String, String> edge = new HashMap<>();
    values.forEach(
        (key, value) -> {
          if (key.startsWith("edge.")) {
            edge.put(key, value);
          }
        });
    return new NodeConfig(
        Path.of(text("data").orElse("data")),
        text("host").orElse("localhost"),
        whole("port", 8080, 0, 65_535),
        Role.parse(text("roles").orElse("all")),
        text("models").map(Path::of).orElse(home.resolve("models")),
        text("model"),
        device(),
        truth("deterministic"),
        text("public_url").map(SettingsReader::origin),
        Duration.ofSeconds(whole("drain_s", 20, 0, 3_600)),
        whole("batch", 0, 0, 64),
        text("database.url"),
        text("database.user").orElse("tintype"),
        text("database.password").orElse(""),
        edge);
  }

  private Optional<String> text(String key) {
    return Optional.ofNullable(values.get(key)).filter(value -> !value.isEmpty());
  }

  private String device() {
    String device = text("device").orElse("auto");
    if (!Devices.isName(device)) {
      throw new NodeException.Config(
          "config.device",
          "\""
              + device
              + "\" is no device; choose from "
              + Devices.NAMES
              + ", or one of several GPUs: cuda:NUMBER or cuda:UUID.");
    }
    return device;
  }

  /** False by default. */
  private boolean truth(String key) {
    String value = text(key).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new NodeException.Config("config." + key, key + " is true or false; found " + value);
    }
    return value.equals("true");
  }

  private int whole(String key, int byDefault, int min, int max) {
    String value = text(key).orElse(Integer.toString(byDefault));
    try {
      int number = Integer.parseInt(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number out of range.
    }
    throw new NodeException.Config(
        "config." + key,
        key + " is a whole number from " + min + " to " + max + "; found " + value);
  }

  private static String origin(String url) {
    String origin = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    try {
      URI uri = URI.create(origin);
      if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
        return origin;
      }
    } catch (IllegalArgumentException e) {
      // Refused below.
    }
    throw new NodeException.Config(
        "config.public_url", "public_url is such as https://pictures.example.org; found " + url);
  }
}

package dev.tintype.node;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The settings as text, and what a text may be. Wrong ones are errors that name the key. */
final class SettingValues {
  private static final long SECRET_BYTES_MAX = 4_096;

  private final Map<String, String> values;

  SettingValues(Map<String, String> values) {
    this.values = values;
  }

  /** A secret, or {@code file:PATH} of the file that has it in its first line. */
  Optional<String> secret(String key) {
    return text(key)
        .map(
            value -> {
              if (!value.startsWith("file:")) {
                return value;
              }
              Path file = Path.of(value.substring("file:".length()));
              try {
                if (Files.size(file) > SECRET_BYTES_MAX) {
                  throw new NodeException.Config(
                      "config.secret", key + ": " + file + " is too long for a secret.");
                }
                return Files.readString(file).lines().findFirst().orElse("").strip();
              } catch (IOException e) {
                throw new NodeException.Config(
                    "config.secret", key + ": " + file + " cannot be read: " + IoReason.of(e));
              }
            });
  }

  Optional<String> text(String key) {
    return Optional.ofNullable(values.get(key)).filter(value -> !value.isEmpty());
  }

  /** False by default. */
  boolean truth(String key) {
    String value = text(key).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new NodeException.Config("config." + key, key + " is true or false; found " + value);
    }
    return value.equals("true");
  }

  int whole(String key, int byDefault, int min, int max) {
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

  static String origin(String url) {
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

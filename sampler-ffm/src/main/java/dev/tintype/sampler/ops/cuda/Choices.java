package dev.tintype.sampler.ops.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was measured to be fastest, by the key of the work, kept in a file from run to run. A file
 * belongs to one identity: card, driver and library versions; another identity has another file. A
 * file that is damaged or of another version is ignored and written anew; one that cannot be
 * written costs a warning.
 */
final class Choices implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Choices.class);

  /** To be raised when keys or ids change their meaning. */
  static final String VERSION = "tintype cuda choices 1";

  /** A model has a few hundred per picture size and batch. What comes later is not kept. */
  static final int ENTRIES_MAX = 8192;

  private static final int LINE_CHARS_MAX = 512;
  private static final long FILE_BYTES_MAX = (long) ENTRIES_MAX * LINE_CHARS_MAX;

  /** New entries after which the file is written, so that a crash costs few. */
  private static final int SAVE_EVERY = 64;

  private final Optional<Path> file;
  private final String identity;
  private final Map<String, String> entries = new LinkedHashMap<>();
  private int unsaved;

  private Choices(Optional<Path> file, String identity) {
    this.file = file;
    this.identity = identity;
  }

  /** Kept for this process only. */
  static Choices inMemory() {
    return new Choices(Optional.empty(), "");
  }

  /**
   * @param identity one line that names everything a measurement depends on
   */
  static Choices in(Path folder, String identity) {
    Choices choices =
        new Choices(
            Optional.of(folder.resolve("cuda-choices-" + hash(identity) + ".txt")), identity);
    choices.entries.putAll(choices.read());
    return choices;
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  Optional<String> get(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  void put(String key, String choice) {
    if (entries.size() < ENTRIES_MAX || entries.containsKey(key)) {
      entries.put(key, choice);
      unsaved++;
      if (unsaved >= SAVE_EVERY) {
        save();
      }
    }
  }

  /** What the file holds; nothing when there is none, or none to be trusted. */
  private Map<String, String> read() {
    Map<String, String> found = new LinkedHashMap<>();
    Path path = file.orElseThrow();
    try {
      if (!Files.exists(path)) {
        return Map.of();
      }
      if (Files.size(path) > FILE_BYTES_MAX) {
        throw new IOException("larger than " + FILE_BYTES_MAX + " bytes");
      }
      List<String> lines = Files.readAllLines(path);
      if (lines.size() < 2 || !lines.get(0).equals(VERSION) || !lines.get(1).equals(identity)) {
        throw new IOException("of another version or card");
      }
      for (String line : lines.subList(2, lines.size())) {
        String[] parts = line.split("\t", -1);
        if (parts.length != 2 || line.length() > LINE_CHARS_MAX || parts[1].isEmpty()) {
          throw new IOException("damaged at \"" + line.substring(0, Math.min(40, line.length())));
        }
        found.put(parts[0], parts[1]);
      }
      return found;
    } catch (IOException e) {
      LOG.warn("{} is ignored ({}); what is fastest will be measured again", path, e.toString());
      return Map.of();
    }
  }

  private void save() {
    unsaved = 0;
    if (file.isEmpty()) {
      return;
    }
    Path path = file.get();
    // Another worker with the same card may have written meanwhile.
    read().forEach(entries::putIfAbsent);
    StringBuilder text = new StringBuilder(VERSION).append('\n').append(identity).append('\n');
    entries.entrySet().stream()
        .limit(ENTRIES_MAX)
        .forEach(e -> text.append(e.getKey()).append('\t').append(e.getValue()).append('\n'));
    try {
      Path folder = Files.createDirectories(path.toAbsolutePath().getParent());
      Path part = Files.createTempFile(folder, path.getFileName().toString(), ".part");
      try {
        Files.writeString(part, text);
        Files.move(part, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      LOG.warn(
          "{} cannot be written ({}); what is fastest is measured every time", path, e.toString());
    }
  }

  @Override
  public void close() {
    if (unsaved > 0) {
      save();
    }
  }
}

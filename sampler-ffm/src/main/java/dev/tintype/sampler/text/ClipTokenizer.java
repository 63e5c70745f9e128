package dev.tintype.sampler.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.config.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * CLIP's tokenizer (transformers CLIPTokenizer): Unicode NFC, white space folded, lower case, split
 * into words, digits and runs of symbols, then byte-pair encoding. Special tokens written out in a
 * prompt become those tokens, as they do in transformers. Immutable; safe for many threads.
 */
public final class ClipTokenizer {
  private static final int MERGES_BYTES_MAX = 32 << 20;
  private static final int VOCABULARY_MAX = 1_000_000;
  private static final int LENGTH_MAX = 4096;

  /**
   * CLIP's word pattern; white space falls between matches. The first alternative is there for
   * special tokens in capitals, which are no special tokens but are cut like them.
   */
  private static final Pattern WORD =
      Pattern.compile(
          "(<\\|)((?:start|end)oftext)(\\|>)|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{IsWhite_Space}\\p{L}\\p{N}]+");

  private static final Pattern SPACES = Pattern.compile("\\p{IsWhite_Space}+");

  private final BytePairEncoding encoding;
  private final Map<String, Integer> specialIds;
  private final Pattern specialPattern;
  private final int length;
  private final int beginId;
  private final int endId;
  private final int padId;

  private ClipTokenizer(
      BytePairEncoding encoding,
      Map<String, Integer> specialIds,
      int length,
      int beginId,
      int endId,
      int padId) {
    this.encoding = encoding;
    this.specialIds = specialIds;
    this.specialPattern =
        Pattern.compile(
            specialIds.keySet().stream()
                .sorted((a, b) -> b.length() - a.length())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
    this.length = length;
    this.beginId = beginId;
    this.endId = endId;
    this.padId = padId;
  }

  /**
   * Reads vocab.json and merges.txt, or tokenizer.json where only that is there, and
   * tokenizer_config.json.
   *
   * @throws ModelException {@code model.not_found} or {@code model.config}
   */
  public static ClipTokenizer load(Path folder) {
    Map<String, Integer> vocabulary = new HashMap<>();
    List<String[]> merges;
    if (Files.exists(folder.resolve("vocab.json"))) {
      readVocabulary(
          folder.resolve("vocab.json"), JsonFile.read(folder.resolve("vocab.json")), vocabulary);
      merges = readMerges(folder.resolve("merges.txt"));
    } else {
      Path file = folder.resolve("tokenizer.json");
      JsonNode json = JsonFile.read(file);
      readVocabulary(file, json.path("model").path("vocab"), vocabulary);
      json.path("added_tokens")
          .forEach(
              token -> vocabulary.put(token.path("content").asText(), token.path("id").asInt()));
      merges = mergesOf(file, json.path("model").path("merges"));
    }
    Path configFile = folder.resolve("tokenizer_config.json");
    JsonNode config =
        Files.exists(configFile)
            ? JsonFile.read(configFile)
            : com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    config
        .path("added_tokens_decoder")
        .fields()
        .forEachRemaining(
            entry -> {
              if (entry.getKey().matches("\\d{1,7}")) {
                vocabulary.putIfAbsent(
                    entry.getValue().path("content").asText(), Integer.valueOf(entry.getKey()));
              }
            });
    Map<String, Integer> specials = new LinkedHashMap<>();
    int begin = special(folder, config, "bos_token", "<|startoftext|>", vocabulary, specials);
    int end = special(folder, config, "eos_token", "<|endoftext|>", vocabulary, specials);
    int unknown = special(folder, config, "unk_token", "<|endoftext|>", vocabulary, specials);
    int pad = special(folder, config, "pad_token", "<|endoftext|>", vocabulary, specials);
    JsonNode maximum = config.path("model_max_length");
    // Some folders hold 1e30 for "no limit"; CLIP has 77 positions.
    int length = maximum.canConvertToInt() ? maximum.asInt() : 77;
    if (length < 2 || length > LENGTH_MAX) {
      throw new ModelException(
          "model.config",
          configFile + ": model_max_length " + length + " is not in 2.." + LENGTH_MAX);
    }
    return new ClipTokenizer(
        new BytePairEncoding(vocabulary, merges, unknown), specials, length, begin, end, pad);
  }

  private static void readVocabulary(Path file, JsonNode json, Map<String, Integer> vocabulary) {
    if (!json.isObject() || json.isEmpty() || json.size() > VOCABULARY_MAX) {
      throw new ModelException("model.config", file + ": holds no vocabulary");
    }
    json.fields()
        .forEachRemaining(
            entry -> {
              if (!entry.getValue().canConvertToInt() || entry.getValue().asInt() < 0) {
                throw new ModelException(
                    "model.config",
                    file + ": id of '" + entry.getKey() + "' is not a whole number");
              }
              vocabulary.put(entry.getKey(), entry.getValue().asInt());
            });
  }

  private static List<String[]> readMerges(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new ModelException("model.not_found", file + ": no such file");
      }
      if (Files.size(file) > MERGES_BYTES_MAX) {
        throw new ModelException(
            "model.config", file + ": more than " + MERGES_BYTES_MAX + " bytes");
      }
      List<String[]> merges = new ArrayList<>();
      for (String line : Files.readString(file).split("\n")) {
        String merge = line.strip();
        if (!merge.isEmpty() && !(merges.isEmpty() && merge.startsWith("#version"))) {
          merges.add(pair(file, merge));
        }
      }
      return merges;
    } catch (IOException e) {
      throw new ModelException("model.config", file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<String[]> mergesOf(Path file, JsonNode json) {
    List<String[]> merges = new ArrayList<>(json.size());
    for (JsonNode merge : json) {
      merges.add(
          merge.isArray() && merge.size() == 2
              ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
              : pair(file, merge.asText()));
    }
    return merges;
  }

  private static String[] pair(Path file, String line) {
    String[] pieces = line.split(" ");
    if (pieces.length != 2) {
      throw new ModelException(
          "model.config", file + ": '" + line + "' is not a merge of two pieces");
    }
    return pieces;
  }

  private static int special(
      Path folder,
      JsonNode config,
      String key,
      String fallback,
      Map<String, Integer> vocabulary,
      Map<String, Integer> specials) {
    JsonNode value = config.path(key);
    String text = value.isObject() ? value.path("content").asText() : value.asText(fallback);
    if (text.isEmpty() || value.isNull()) {
      text = fallback;
    }
    Integer id = vocabulary.get(text);
    if (id == null) {
      throw new ModelException(
          "model.config", folder + ": " + key + " '" + text + "' is not in the vocabulary");
    }
    specials.put(text, id);
    return id;
  }

  /** Ids of a prompt: begin, its tokens, end, padding; always {@link #length()} of them. */
  public int[] encode(String prompt) {
    List<Integer> tokens = tokens(prompt);
    int[] ids = new int[length];
    Arrays.fill(ids, padId);
    ids[0] = beginId;
    int count = Math.min(tokens.size(), length - 2);
    for (int i = 0; i < count; i++) {
      ids[i + 1] = tokens.get(i);
    }
    ids[count + 1] = endId;
    return ids;
  }

  /** Whether the prompt has more tokens than the model reads. */
  public boolean truncated(String prompt) {
    return tokens(prompt).size() > length - 2;
  }

  /** Number of ids of an encoded prompt, 77 for CLIP. */
  public int length() {
    return length;
  }

  /** Id of the token that ends a prompt. */
  public int endId() {
    return endId;
  }

  private List<Integer> tokens(String prompt) {
    List<Integer> ids = new ArrayList<>();
    Matcher special = specialPattern.matcher(prompt);
    int position = 0;
    while (special.find()) {
      addWords(prompt.substring(position, special.start()), ids);
      ids.add(specialIds.get(special.group()));
      position = special.end();
    }
    addWords(prompt.substring(position), ids);
    return ids;
  }

  private void addWords(String text, List<Integer> ids) {
    String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
    String folded = SPACES.matcher(composed).replaceAll(" ");
    Matcher word = WORD.matcher(lowerCase(folded));
    while (word.find()) {
      if (word.group(1) == null) {
        ids.addAll(encoding.encode(word.group()));
      } else {
        for (int part = 1; part <= 3; part++) {
          ids.addAll(encoding.encode(word.group(part)));
        }
      }
    }
  }

  /** Each code point by itself: a final sigma is not special in the original. */
  private static String lowerCase(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    text.codePoints()
        .forEach(point -> lower.append(Character.toString(point).toLowerCase(Locale.ROOT)));
    return lower.toString();
  }
}

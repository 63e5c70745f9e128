package dev.tintype.sampler.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads one JSON file of a model folder, with its size and depth bounded. */
public final class JsonFile {
  /** The largest are vocabularies, about 1 MB, and shard indexes of very large models. */
  static final long FILE_BYTES_MAX = 32L << 20;

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(32).build())
                  // Python writes NaN and -Infinity (lambda_min_clipped of DPM-Solver).
                  .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          // Huge exponents must not become huge BigDecimals.
          .disable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private JsonFile() {}

  /**
   * @throws ModelException {@code model.not_found} or {@code model.config}
   */
  public static JsonNode read(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new ModelException("model.not_found", path + ": no such file");
    }
    try {
      long bytes = Files.size(path);
      if (bytes > FILE_BYTES_MAX) {
        throw new ModelException(
            "model.config", path + ": " + bytes + " bytes, at most " + FILE_BYTES_MAX);
      }
      return MAPPER.readTree(Files.readAllBytes(path));
    } catch (IOException e) {
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      throw new ModelException(
          "model.config", path + ": not valid JSON: " + reason.lines().findFirst().orElse(""), e);
    }
  }
}

package dev.tintype.gateway.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * JSON as trees, read strictly: no duplicate keys, nothing after the end, no NaN, valid UTF-8 only.
 */
public final class Json {
  /** A job request is flat; anything deeper is an attack. */
  private static final int DEPTH_MAX = 8;

  /** Digits of one number. Larger ones cost quadratic time to convert. */
  private static final int NUMBER_CHARACTERS_MAX = 64;

  private static final ObjectMapper STRICT =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEPTH_MAX)
                          .maxNumberLength(NUMBER_CHARACTERS_MAX)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION)
          .build();

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** Reads what this program wrote itself. */
  public static JsonNode trusted(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("stored JSON is broken", e);
    }
  }

  public static byte[] bytes(JsonNode node) {
    return node.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads one JSON object.
   *
   * @throws RequestException 400 json.malformed or json.not_an_object
   */
  public static ObjectNode readObject(byte[] body) {
    JsonNode node;
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(body))
              .toString();
      node = STRICT.readTree(text);
    } catch (CharacterCodingException e) {
      throw new RequestException(400, "json.malformed", "The body is not valid UTF-8.");
    } catch (JsonProcessingException e) {
      throw new RequestException(
          400, "json.malformed", "The body is not valid JSON: " + where(e) + ".");
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new RequestException(
        400,
        "json.not_an_object",
        "The body is one JSON object, such as {\"prompt\": \"a red sun\"}.");
  }

  private static String where(JsonProcessingException e) {
    // Jackson's own message may span lines and name Java classes; the first sentence is for people.
    String first = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    String clean =
        first.replaceAll("\\(through reference chain.*|com\\.fasterxml\\.[\\w.$]+", "").strip();
    String cut = clean.length() > 160 ? clean.substring(0, 160) + "…" : clean;
    String at =
        e.getLocation() == null
            ? ""
            : " (line "
                + e.getLocation().getLineNr()
                + ", column "
                + e.getLocation().getColumnNr()
                + ")";
    return cut + at;
  }
}

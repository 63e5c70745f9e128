package dev.tintype.gateway.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Typed reading of a flat JSON object: wrong types, ranges and names are refusals that name the
 * field.
 */
public final class Fields {
  private final ObjectNode object;

  /**
   * @throws RequestException 422 field.unknown when the object has a key that is not in {@code
   *     known}
   */
  public Fields(ObjectNode object, List<String> known) {
    this.object = object;
    object
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                throw new RequestException(
                    422,
                    "field.unknown",
                    PathNames.safe(name),
                    "There is no field \""
                        + PathNames.safe(name)
                        + "\"; known ones are "
                        + String.join(", ", known)
                        + ".");
              }
            });
  }

  public Optional<String> text(String name) {
    JsonNode node = present(name);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw type(name, "a string");
    }
    return Optional.of(node.textValue());
  }

  public OptionalInt integer(String name, int min, int max) {
    OptionalLong value = integer(name, (long) min, (long) max);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  public OptionalLong integer(String name, long min, long max) {
    JsonNode node = present(name);
    if (node == null) {
      return OptionalLong.empty();
    }
    // 20.0 is a whole number to JSON Schema, and so it is here. Doubles are exact up to 2^53.
    double value = node.doubleValue();
    if (!node.isNumber() || value != Math.rint(value)) {
      throw type(name, "a whole number");
    }
    if (!(value >= min && value <= max)) {
      throw range(name, "a whole number from " + min + " to " + max);
    }
    return OptionalLong.of((long) value);
  }

  public OptionalDouble number(String name, double min, double max) {
    JsonNode node = present(name);
    if (node == null) {
      return OptionalDouble.empty();
    }
    if (!node.isNumber()) {
      throw type(name, "a number");
    }
    double value = node.doubleValue();
    if (!(value >= min && value <= max)) {
      throw range(name, "a number from " + plain(min) + " to " + plain(max));
    }
    return OptionalDouble.of(value);
  }

  public Optional<Boolean> bool(String name) {
    JsonNode node = present(name);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isBoolean()) {
      throw type(name, "true or false");
    }
    return Optional.of(node.booleanValue());
  }

  private JsonNode present(String name) {
    JsonNode node = object.get(name);
    return node == null || node.isNull() ? null : node;
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static RequestException type(String name, String expected) {
    return new RequestException(422, "field.type", name, name + " is " + expected + ".");
  }

  private static RequestException range(String name, String expected) {
    return new RequestException(422, "field.range", name, name + " is " + expected + ".");
  }
}

package dev.tintype.gateway.http;

import dev.tintype.gateway.problem.GatewayException.RequestException;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;

/**
 * The query parameters of a request; unknown ones, repeats and wrong values are refusals that name
 * them.
 */
public final class Queries {
  private final MultiMap values;

  private Queries(MultiMap values) {
    this.values = values;
  }

  /**
   * @throws RequestException 400 request.parameter
   */
  public static Queries of(RoutingContext context, List<String> known) {
    MultiMap values;
    try {
      values = context.queryParams();
    } catch (RuntimeException e) {
      throw new RequestException(
          400, "request.url", "The query of the URL has a broken percent sign.");
    }
    for (String name : values.names()) {
      String shown = PathNames.safe(name);
      if (!known.contains(name)) {
        throw new RequestException(
            400,
            "request.parameter",
            shown,
            known.isEmpty()
                ? "This path takes no query parameters."
                : "There is no query parameter \""
                    + shown
                    + "\"; known ones are "
                    + String.join(", ", known)
                    + ".");
      }
      if (values.getAll(name).size() > 1) {
        throw new RequestException(400, "request.parameter", shown, "Give " + shown + " once.");
      }
    }
    return new Queries(values);
  }

  public Optional<String> text(String name) {
    return Optional.ofNullable(values.get(name));
  }

  public Optional<Integer> integer(String name, int min, int max) {
    return text(name)
        .map(
            text -> {
              int value = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
              if (value < min || value > max) {
                throw new RequestException(
                    400,
                    "request.parameter",
                    name,
                    name + " is a whole number from " + min + " to " + max + ".");
              }
              return value;
            });
  }
}

package dev.tintype.gateway.http;

import dev.tintype.gateway.problem.GatewayException.MethodException;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One path with all its methods: HEAD follows from GET, OPTIONS and 405 from the rest, and every
 * answer carries the same safety headers.
 */
public final class Endpoint {
  /** What a method does. Runs on the event loop; may throw or fail the future. */
  @FunctionalInterface
  public interface Action {
    Future<Reply> perform(RoutingContext context);
  }

  private final Problems problems;
  private final RequestIds ids;
  private final String path;
  private static final Set<HttpMethod> WITH_BODY =
      Set.of(HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH);

  private final Map<HttpMethod, Action> actions = new LinkedHashMap<>();

  public Endpoint(Problems problems, RequestIds ids, String path) {
    this.problems = problems;
    this.ids = ids;
    this.path = path;
  }

  public Endpoint on(HttpMethod method, Action action) {
    actions.put(method, action);
    return this;
  }

  public void mount(Router router) {
    router.route(path).handler(this::handle);
  }

  private void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    String id = ids.attach(context);
    HttpMethod method = request.method();
    if (method.equals(HttpMethod.OPTIONS)) {
      send(context, new Reply.Empty(204, Map.of("Allow", allow())));
      return;
    }
    Action action = actions.get(method.equals(HttpMethod.HEAD) ? HttpMethod.GET : method);
    if (action == null) {
      problems.answer(request, id, new MethodException(PathNames.safe(method.name()), allow()));
      return;
    }
    if (WITH_BODY.contains(method)) {
      // Nobody listens to the body until the key is verified.
      request.pause();
    }
    try {
      action
          .perform(context)
          .onSuccess(reply -> send(context, reply))
          .onFailure(cause -> problems.answer(request, id, cause));
    } catch (RuntimeException cause) {
      problems.answer(request, id, cause);
    }
  }

  private void send(RoutingContext context, Reply reply) {
    HttpServerResponse response = context.response();
    if (response.ended() || response.closed()) {
      return;
    }
    switch (reply) {
      case Reply.Body body -> {
        response
            .setStatusCode(body.status())
            .putHeader(HttpHeaders.CONTENT_TYPE, body.contentType());
        response.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.bytes().length));
        body.headers().forEach(response::putHeader);
        endWith(context.request(), body.bytes());
      }
      case Reply.Empty empty -> {
        response.setStatusCode(empty.status());
        empty.headers().forEach(response::putHeader);
        response.end();
      }
      case Reply.Taken taken -> {}
    }
  }

  /** Ends the response with the body, or without it for HEAD. */
  static void endWith(HttpServerRequest request, byte[] body) {
    if (request.method().equals(HttpMethod.HEAD)) {
      request.response().end();
    } else {
      request.response().end(io.vertx.core.buffer.Buffer.buffer(body));
    }
  }

  private String allow() {
    Stream<String> names =
        actions.keySet().stream()
            .flatMap(
                method ->
                    method.equals(HttpMethod.GET)
                        ? Stream.of("GET", "HEAD")
                        : Stream.of(method.name()));
    return Stream.concat(names, Stream.of("OPTIONS")).collect(Collectors.joining(", "));
  }
}

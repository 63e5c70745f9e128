package dev.tintype.perf.fleet;

/** What lies between the roles of a fleet and its servers: nothing, or proxies that misbehave. */
@FunctionalInterface
public interface Lines {
  /** No proxies. */
  Lines STRAIGHT = (server, port) -> port;

  /**
   * Where the roles connect; the same for every call.
   *
   * @param server {@code kafka}, {@code redis}, {@code s3} or {@code postgres}
   * @param port of the server itself on 127.0.0.1
   */
  int to(String server, int port);
}

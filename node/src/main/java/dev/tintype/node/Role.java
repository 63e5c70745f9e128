package dev.tintype.node;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What a process does. Any set of roles may share a process. */
public enum Role {
  /** The HTTP API and the page. */
  GATEWAY,
  /** Paints: needs the model's files and a device. */
  WORKER,
  /** Serves pictures. */
  EDGE,
  /** Hands jobs to the workers, in a fair order. A worker without Kafka brings its own. */
  RELAY,
  /** Runs the embedded database. Without it, {@code database.url} names one. */
  QUEUE;

  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads {@code gateway,worker}; {@code all} is every role. */
  public static Set<Role> parse(String text) {
    if (text.strip().equals("all")) {
      return EnumSet.allOf(Role.class);
    }
    EnumSet<Role> roles = EnumSet.noneOf(Role.class);
    for (String name : text.split(",", -1)) {
      roles.add(
          Arrays.stream(values())
              .filter(role -> role.wire().equals(name.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new NodeException.Config(
                          "config.roles",
                          "\""
                              + name.strip()
                              + "\" is no role; choose from all, "
                              + names()
                              + ".")));
    }
    return roles;
  }

  private static String names() {
    return Arrays.stream(values()).map(Role::wire).collect(Collectors.joining(", "));
  }
}

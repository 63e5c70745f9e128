package dev.tintype.gateway.http;

/** Text from the request line, made fit for a message. */
public final class PathNames {
  private static final int CHARACTERS_MAX = 80;

  private PathNames() {}

  /** Printable ASCII, cut to a readable length. */
  public static String safe(String text) {
    String clean = text.replaceAll("[^!-~]", "?");
    return clean.length() > CHARACTERS_MAX ? clean.substring(0, CHARACTERS_MAX) + "..." : clean;
  }
}

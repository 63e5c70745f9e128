package dev.tintype.node;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The version that the build wrote into this program. */
public final class ProgramVersion {
  private ProgramVersion() {}

  /** Such as {@code 0.1.0}, or {@code unknown} in a program that was not built by Maven. */
  public static String number() {
    Properties properties = new Properties();
    try (InputStream in =
        ProgramVersion.class.getResourceAsStream("/dev/tintype/node/version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      // Then it is unknown, which is no reason to fail.
    }
    return properties.getProperty("version", "unknown");
  }
}

package dev.tintype.servers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command lines of Java programs on the classpath of this one. */
public final class JavaCommand {
  /**
   * Small and quick to start, for programs that only pass bytes on: many of these share a machine.
   * Not for one that computes: vectors are quick by the second compiler alone.
   */
  public static final List<String> LIGHT =
      List.of("-XX:TieredStopAtLevel=1", "-XX:CICompilerCount=1");

  /** What the launcher passes to every command of Tintype. */
  public static final List<String> TINTYPE =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "--add-modules",
          "jdk.incubator.vector");

  private JavaCommand() {}

  /**
   * @param heapMb -Xmx in MiB
   */
  public static List<String> of(int heapMb, List<String> options, String main, List<String> args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + heapMb + "m", "-XX:+UseSerialGC", "-Xshare:auto"));
    command.addAll(options);
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(main);
    command.addAll(args);
    return command;
  }
}

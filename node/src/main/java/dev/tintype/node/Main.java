package dev.tintype.node;

import dev.tintype.node.cli.Tintype;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Where the process begins. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    errorsTo(System.getenv("TINTYPE_STDERR"));
    int code = Tintype.run(arguments);
    System.out.flush();
    System.exit(code);
  }

  /**
   * The launcher filters what the Java runtime itself writes to standard error (its notice that the
   * vector module is an incubator) and leaves the real one open under another descriptor, for us.
   */
  private static void errorsTo(String descriptor) {
    if (descriptor == null) {
      return;
    }
    try {
      System.setErr(
          new PrintStream(
              new FileOutputStream("/dev/fd/" + descriptor, true), true, StandardCharsets.UTF_8));
    } catch (IOException e) {
      // A socket, or a terminal of another user: the filtered one serves as well.
    }
  }
}

package dev.tintype.node;

import dev.tintype.node.cli.Tintype;

/** Where the process begins. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    int code = Tintype.run(arguments);
    System.out.flush();
    System.exit(code);
  }
}

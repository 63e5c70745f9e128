package dev.tintype.node.cli;

import dev.tintype.node.NodeException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Stands here for --help; the launcher runs the tests before Java starts. */
@Command(
    name = "test",
    description = "Builds everything and runs all tests (done by the launcher, ./tintype test).",
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  ./tintype test", "  ./tintype test --fast"})
final class TestCommand implements Runnable {
  @Option(names = "--fast", description = "Leaves the suites tagged slow out.")
  boolean fast;

  @Override
  public void run() {
    throw new NodeException.Config("cli.usage", "Run the tests with the launcher: ./tintype test");
  }
}

package dev.tintype.node.cli;

import java.util.List;

/**
 * Commands that another room adds to the command line: measurements, simulation and chaos live in
 * {@code perf}, which may see every room, while node may not see it. Found by {@link
 * java.util.ServiceLoader}, so that a classpath without that room simply lacks its commands.
 */
public interface MoreCommands {
  /** New picocli commands, each with its {@code @Command} annotation, name and help. */
  List<Object> commands();
}

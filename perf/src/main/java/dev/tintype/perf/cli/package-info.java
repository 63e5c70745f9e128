/**
 * The commands that perf adds to the command line of node: {@code bench}, and what simulates or
 * breaks the platform. {@link dev.tintype.perf.cli.PerfCommands} lists them.
 */
package dev.tintype.perf.cli;

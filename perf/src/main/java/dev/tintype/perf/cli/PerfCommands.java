package dev.tintype.perf.cli;

import dev.tintype.node.cli.MoreCommands;
import dev.tintype.perf.chaos.ChaosCommand;
import dev.tintype.perf.simulate.SimulateCommand;
import java.util.List;

/** What this room adds to the command line. */
public final class PerfCommands implements MoreCommands {
  @Override
  public List<Object> commands() {
    return List.of(
        new BenchCommand(), new ChaosCommand(), new DemoFleetCommand(), new SimulateCommand());
  }
}

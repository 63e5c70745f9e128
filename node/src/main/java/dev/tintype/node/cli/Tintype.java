package dev.tintype.node.cli;

import dev.tintype.node.ErrorCode;
import dev.tintype.node.NodeException;
import dev.tintype.node.ProgramVersion;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

/** The root command: names the others, and turns every error into one paragraph with a code. */
@Command(
    name = "tintype",
    description = "Turns a text prompt into a picture on your own machine, and serves it.",
    mixinStandardHelpOptions = true,
    versionProvider = Tintype.Version.class,
    subcommands = {
      ImagineCommand.class,
      ServeCommand.class,
      ModelsCommand.class,
      UsersCommand.class,
      TiersCommand.class,
      DoctorCommand.class,
      SweepCommand.class,
      GoldenCommand.class,
      TestCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  tintype imagine \"a red sun over snowy mountains, watercolor --seed 7\" -o out.png",
      "  tintype serve",
      "  tintype doctor",
      "",
      "Built when first used:",
      "  tintype bench        measurements against peers",
      "  tintype simulate     the queue of many GPUs on virtual time",
      "  tintype chaos        kills and cut lines under load, with a checker",
      "  tintype demo-fleet   a whole fleet on this machine",
      "",
      "Every command has --help. Error codes are explained in docs/errors.md."
    })
public final class Tintype implements Runnable {
  /** A job failed, a check found something, a start was refused. */
  public static final int FAILED = 1;

  /** The command line itself is wrong. */
  public static final int USAGE = 2;

  /** Ended by Ctrl-C. */
  static final int INTERRUPTED = 130;

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }

  /** Runs one command line and returns its exit code. */
  public static int run(String... arguments) {
    CommandLine line = new CommandLine(new Tintype());
    ServiceLoader.load(MoreCommands.class)
        .forEach(more -> more.commands().forEach(line::addSubcommand));
    line.setExecutionExceptionHandler((error, command, result) -> report(error));
    line.setParameterExceptionHandler(Tintype::usage);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpWidth(100);
    return line.execute(arguments);
  }

  private static int usage(ParameterException error, String[] arguments) {
    System.err.println("tintype: [cli.usage] " + error.getMessage());
    CommandLine command = error.getCommandLine();
    System.err.println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
    return USAGE;
  }

  /** Shows an error as a person can use it; what nobody foresaw goes to the log with its trace. */
  static int report(Throwable error) {
    Optional<ErrorCode> known = ErrorCode.of(error);
    if (known.isPresent()) {
      System.err.println("tintype: [" + known.get().code() + "] " + known.get().message());
      return error instanceof NodeException.Config ? USAGE : FAILED;
    }
    Logger.getLogger("tintype").log(Level.INFO, "unforeseen error", error);
    System.err.println(
        "tintype: [internal] Something went wrong that should not: "
            + error
            + ". The log in the data folder (logs/tintype.0.log) has the details; please report"
            + " them.");
    return FAILED;
  }

  /** Tells version and build. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "tintype "
            + ProgramVersion.number()
            + " (Java "
            + Runtime.version()
            + ", "
            + System.getProperty("os.arch")
            + ")"
      };
    }
  }
}

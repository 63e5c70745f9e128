package dev.tintype.node.cli;

import dev.tintype.node.Logs;
import dev.tintype.node.ModelShelf;
import dev.tintype.node.NodeException;
import dev.tintype.node.Storage;
import dev.tintype.queue.sweep.BlobSweep;
import dev.tintype.queue.sweep.Tally;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One walk through the stored pictures. */
@Command(
    name = "sweep",
    description =
        "Deletes stored pictures that nothing names any more; servers do it by themselves.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "May run beside a server. A picture goes when no job and no upload names it and it was",
      "stored longer than sweep.grace_h (24 h) ago. Old ones move to s3.cold_class where",
      "s3.cold_after_days says so.",
      "",
      "Examples:",
      "  tintype sweep --dry-run",
      "  tintype sweep --config fleet.yaml --json",
      "  tintype sweep --forget-user eve@example.org"
    })
final class SweepCommand implements Callable<Integer> {
  @Mixin NodeOptions options;

  @Option(names = "--dry-run", description = "Counts, and changes nothing.")
  boolean dryRun;

  @Option(
      names = "--adopt",
      description =
          "Marks the stored pictures as this database's, whosever they were. What this database"
              + " does not name is then deleted.")
  boolean adopt;

  @Option(
      names = "--forget-user",
      paramLabel = "USER",
      description =
          "First deletes that user's ended jobs and uploads, for good. The pictures go once they"
              + " are older than sweep.grace_h, unless another user has the same.")
  String user;

  @Option(names = "--json", description = "One JSON object.")
  boolean json;

  private final Terminal terminal = new Terminal(System.err, System.getenv("TINTYPE_TTY"));

  @Override
  public Integer call() {
    Logs.console(Level.WARNING);
    if (user != null && dryRun) {
      throw new NodeException.Config(
          "cli.usage", "--forget-user cannot be tried with --dry-run: nothing says what it would.");
    }
    try (Storage storage = Storage.open(options.read())) {
      BlobSweep sweep = storage.sweep();
      if (!adopt) {
        sweep.checkOwner();
      }
      if (!dryRun) {
        sweep.own();
      }
      int forgotten = forget(storage);
      Tally tally = dryRun ? Tally.NONE : sweep.released();
      BlobSweep.Page page = new BlobSweep.Page("", false, Tally.NONE);
      while (!page.end()) {
        page = sweep.walk(page.position(), dryRun);
        tally = tally.plus(page.tally());
        terminal.status(tally.seen() + " pictures looked at");
      }
      terminal.clear();
      report(forgotten, tally);
      return 0;
    }
  }

  private int forget(Storage storage) {
    if (user == null) {
      return 0;
    }
    if (storage.accounts().user(user).isEmpty()) {
      throw new NodeException.Config("cli.user", "There is no user " + user + ".");
    }
    int all = 0;
    for (int some = 1; some > 0; all += some) {
      some = storage.accounts().forget(user);
    }
    return all;
  }

  private void report(int forgotten, Tally tally) {
    if (json) {
      System.out.println(
          ApiClient.object()
              .put("dry_run", dryRun)
              .put("forgotten", forgotten)
              .put("seen", tally.seen())
              .put("seen_bytes", tally.seenBytes())
              .put("orphans", tally.orphans())
              .put("orphan_bytes", tally.orphanBytes())
              .put("young", tally.young())
              .put("young_bytes", tally.youngBytes())
              .put("cooled", tally.cooled()));
      return;
    }
    if (user != null) {
      System.out.printf("%-22s %12d%n", "jobs and uploads", forgotten);
    }
    line("looked at", tally.seen(), tally.seenBytes());
    line(dryRun ? "would be deleted" : "deleted", tally.orphans(), tally.orphanBytes());
    line("not named, too young", tally.young(), tally.youngBytes());
    if (tally.cooled() > 0) {
      System.out.printf("%-22s %12d%n", "moved to cold storage", tally.cooled());
    }
  }

  private static void line(String what, long count, long bytes) {
    System.out.printf("%-22s %12d %12s%n", what, count, ModelShelf.megabytes(bytes));
  }
}

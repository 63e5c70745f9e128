package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.tintype.node.Logs;
import dev.tintype.node.doctor.Doctor;
import dev.tintype.node.doctor.Finding;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the diagnosis. */
@Command(
    name = "doctor",
    description = "Looks at this machine and says what is missing and what to do about it.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit code 1 where no picture can be made.",
      "",
      "Examples:",
      "  tintype doctor",
      "  tintype doctor --json"
    })
final class DoctorCommand implements Callable<Integer> {
  @Mixin NodeOptions options;

  @Option(names = "--json", description = "One JSON array.")
  boolean json;

  @Override
  public Integer call() {
    Logs.console(Level.SEVERE);
    List<Finding> findings = new Doctor(options.read()).examine();
    if (json) {
      ArrayNode array = ApiClient.object().putArray("findings");
      findings.forEach(
          f ->
              array
                  .addObject()
                  .put("what", f.what())
                  .put("verdict", f.verdict().name().toLowerCase(Locale.ROOT))
                  .put("found", f.found())
                  .put("advice", f.advice()));
      System.out.println(array.toPrettyString());
    } else {
      findings.forEach(DoctorCommand::print);
    }
    boolean missing = findings.stream().anyMatch(f -> f.verdict() == Finding.Verdict.MISSING);
    return missing ? Tintype.FAILED : 0;
  }

  private static void print(Finding finding) {
    String mark =
        switch (finding.verdict()) {
          case OK -> "ok  ";
          case NOTE -> "note";
          case MISSING -> "MISS";
        };
    System.out.printf("%s  %-13s %s%n", mark, finding.what(), finding.found());
    if (!finding.advice().isEmpty()) {
      System.out.printf("      %-13s -> %s%n", "", finding.advice());
    }
  }
}

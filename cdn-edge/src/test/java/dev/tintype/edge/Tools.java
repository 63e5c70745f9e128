package dev.tintype.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Programs of Debian that tests run beside ours. A test is skipped where one is missing, and says
 * which package has it. With {@code TINTYPE_TEST_TOOLS=required} it fails: {@code .ci/run} sets
 * that wherever it is able to install them.
 */
public final class Tools {
  private Tools() {}

  /** The program's file. */
  public static Path need(String name, String debianPackage) {
    Optional<Path> found = find(name);
    if (found.isPresent()) {
      return found.get();
    }
    String word = name + " is not installed: apt-get install " + debianPackage;
    if ("required".equals(System.getenv("TINTYPE_TEST_TOOLS"))) {
      throw new AssertionError(word);
    }
    return abort(word);
  }

  private static Optional<Path> find(String name) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), Stream.of("/usr/sbin"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Runs a program to its end, which must be a good one; what it prints. */
  public static String run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
    assertThat(process.exitValue()).as("%s says %s", command, said).isZero();
    return said;
  }
}

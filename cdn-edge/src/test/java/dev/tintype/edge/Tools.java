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
  private static final int RUN_S_MAX = 60;

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

  /** Runs a program to its end, which must be a good one and come in a minute; what it prints. */
  public static String run(List<String> command) throws Exception {
    // To a file: who reads a pipe to its end waits without a deadline.
    Path output = Files.createTempFile("tintype-tool", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      process.getOutputStream().close();
      boolean ended = end(process, RUN_S_MAX);
      String said = Files.readString(output, StandardCharsets.UTF_8);
      assertThat(ended).as("%s ends; it says %s", command, said).isTrue();
      assertThat(process.exitValue()).as("%s says %s", command, said).isZero();
      return said;
    } finally {
      Files.delete(output);
    }
  }

  /** Whether a process ended by itself in time; if not, it is killed. */
  public static boolean end(Process process, int seconds) throws InterruptedException {
    try {
      return process.waitFor(seconds, TimeUnit.SECONDS);
    } finally {
      process.destroyForcibly();
    }
  }
}

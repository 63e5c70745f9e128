package dev.tintype.edge.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Tools;
import dev.tintype.edge.vips.Loaded;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The edge in a process of its own gets every hostile original in turn: it stays alive, gives each
 * the right answer, and its memory stays bounded.
 */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
final class HostileProcessTest {
  /**
   * Measured: 180 MiB before the first original (heap of 160 MiB at most, the JVM, libvips), 400
   * MiB after the largest: a progressive JPEG of 8000 x 8000 px, which a decoder must hold whole.
   * The budget of 64 Mi px allows four bytes each, 256 MiB.
   */
  private static final long PEAK_MIB_MAX = 640;

  private static final int RUN_S_MAX = 120;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  @Test
  void itLivesAnswersRightAndStaysSmall() throws Exception {
    Path stderr = folder.resolve("stderr");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx160m",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            HostileChild.class.getName(),
            folder.resolve("variants").toString()));
    Path stdout = folder.resolve("stdout");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(stdout.toFile()).redirectError(stderr.toFile());
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process process = builder.start();
    boolean ended = Tools.end(process, RUN_S_MAX);
    List<String> lines = Files.readAllLines(stdout);
    String last =
        "after %s: %s".formatted(lines.isEmpty() ? "" : lines.getLast(), Files.readString(stderr));
    assertThat(ended).as("%s", last).isTrue();
    assertThat(process.exitValue()).as("%s", last).isZero();
    assertThat(lines).hasSizeGreaterThan(150);
    assertThat(lines.getLast()).startsWith("end ");
    SoftAssertions softly = new SoftAssertions();
    for (String line : lines.subList(1, lines.size() - 1)) {
      String[] parts = line.split(" ", 5);
      softly.assertThat(Arrays.asList(parts[0].split("\\|"))).as(line).contains(parts[1]);
      softly.assertThat(Long.parseLong(parts[3])).as(line).isLessThan(PEAK_MIB_MAX);
    }
    softly.assertAll();
  }
}

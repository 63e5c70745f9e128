package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher on a machine that has no Maven: a copy of it, and a PATH of chosen programs. */
@Timeout(60)
class LauncherTest {
  private static final List<String> PROGRAMS =
      List.of(
          "sh",
          "sed",
          "dirname",
          "readlink",
          "mkdir",
          "rm",
          "mv",
          "cut",
          "tar",
          "gzip",
          "date",
          "find",
          "head",
          "touch",
          "cat",
          "curl",
          "sha512sum",
          "kill",
          "sleep");

  @TempDir Path folder;
  private Path programs;
  private Path mirror;

  @BeforeEach
  void onlyThesePrograms() throws IOException {
    programs = Files.createDirectory(folder.resolve("bin"));
    mirror = Files.createDirectory(folder.resolve("mirror"));
    for (String name : PROGRAMS) {
      Path program =
          Stream.of("/usr/bin", "/bin")
              .map(place -> Path.of(place, name))
              .filter(Files::isExecutable)
              .findFirst()
              .orElse(null);
      if (program != null) {
        Files.createSymbolicLink(programs.resolve(name), program);
      }
    }
    Files.copy(Path.of("../tintype"), folder.resolve("tintype"));
  }

  private record Run(int code, String text) {}

  private Run models() throws Exception {
    Path said = folder.resolve("said");
    ProcessBuilder builder =
        new ProcessBuilder(folder.resolve("tintype").toString(), "models")
            .redirectErrorStream(true)
            .redirectOutput(said.toFile());
    builder.environment().clear();
    builder
        .environment()
        .putAll(
            Map.of(
                "PATH", programs.toString(),
                "HOME", folder.toString(),
                "JAVA_HOME", System.getProperty("java.home"),
                "TINTYPE_CACHE", folder.resolve("cache").toString(),
                "TINTYPE_MAVEN_URL", mirror.toUri().toString().replaceAll("/$", "")));
    Process process = builder.start();
    if (!process.waitFor(50, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the launcher did not end: " + Files.readString(said));
    }
    return new Run(process.exitValue(), Files.readString(said));
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
      return files.toList();
    }
  }

  @Test
  void mavenThatCannotBeFetchedIsToldWithWhatToDo() throws Exception {
    Run run = models();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.text())
        .contains("[maven.missing]", "apt-get install maven", "TINTYPE_MAVEN_URL");
    assertThat(cached()).isEmpty();
  }

  @Test
  void whatIsNotTheExpectedMavenIsNeverUnpacked() throws Exception {
    String name =
        Files.readAllLines(folder.resolve("tintype")).stream()
            .filter(line -> line.startsWith("MAVEN="))
            .map(line -> line.substring("MAVEN=".length()))
            .findFirst()
            .orElseThrow();
    Path place =
        Files.createDirectories(mirror.resolve("org/apache/maven/apache-maven").resolve(name));
    Files.writeString(place.resolve("apache-maven-" + name + "-bin.tar.gz"), "something else");
    Run run = models();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.text()).contains("[maven.checksum]");
    assertThat(cached()).isEmpty();
  }
}

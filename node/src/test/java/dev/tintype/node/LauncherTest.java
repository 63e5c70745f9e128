package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    return models(Map.of());
  }

  private Run models(Map<String, String> more) throws Exception {
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
    builder.environment().putAll(more);
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

  /** Java reads a prompt by the locale: in the one of no machine, all but ASCII would be lost. */
  @ParameterizedTest
  @CsvSource({
    ", , C.UTF-8",
    "LC_ALL, C, C.UTF-8",
    "LANG, POSIX, C.UTF-8",
    "LANG, de_DE.UTF-8, none",
    "LC_ALL, de_DE.ISO-8859-1, de_DE.ISO-8859-1"
  })
  void wordsAreReadAsUtf8WhereNoLocaleSaysOtherwise(String name, String value, String all)
      throws Exception {
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho locale ${LC_ALL:-none}\n");
    Files.copy(java, java.resolveSibling("javac"));
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"99.0.1\"\n");
    for (String program : List.of("java", "javac")) {
      assertThat(java.resolveSibling(program).toFile().setExecutable(true)).isTrue();
    }
    Path target = Files.createDirectories(folder.resolve("node/target"));
    Files.writeString(target.resolve("tintype.classpath"), "");
    Files.writeString(target.resolve("tintype-node.jar"), "");
    Map<String, String> environment = new HashMap<>();
    environment.put("JAVA_HOME", folder.resolve("jdk").toString());
    environment.put("TINTYPE_NO_BUILD", "1");
    if (name != null) {
      environment.put(name, value);
    }
    assertThat(models(environment).text()).isEqualTo("locale " + all + "\n");
  }
}

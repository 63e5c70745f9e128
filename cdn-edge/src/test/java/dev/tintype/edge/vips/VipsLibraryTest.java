package dev.tintype.edge.vips;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Pictures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VipsLibraryTest {
  @TempDir Path folder;

  /** What the child process prints, with its own cache folder. */
  private String child(String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(options));
    command.add(ChildWithoutVips.class.getName());
    command.add(folder.resolve("variants").toString());
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(folder.resolve("stderr").toFile());
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(folder.resolve("stderr"))).isZero();
    return output;
  }

  @Test
  void withoutLibvipsOriginalsAreServedAndVariantsSayWhatToInstall() throws Exception {
    Path missing = folder.resolve("libvips-of-nobody.so");
    String output = child("-D" + VipsLibrary.PROPERTY + "=" + missing);
    assertThat(output).startsWith("original " + Pictures.png(8, 8).length);
    assertThat(output)
        .contains("503 edge.libvips.missing")
        .contains(missing.toString())
        .contains("apt-get install libvips42")
        .contains(VipsLibrary.PROPERTY);
  }

  @Test
  void aFileThatIsNoLibraryIsNamed() throws Exception {
    Path text = Files.writeString(folder.resolve("text.so"), "no library");
    assertThat(child("-D" + VipsLibrary.PROPERTY + "=" + text))
        .contains("503 edge.libvips.missing")
        .contains("text.so");
  }

  @Test
  void aDamagedUnpackedLibraryIsUnpackedAgain() throws Exception {
    Loaded.vips();
    assertThat(child()).contains("variant ");
    List<Path> unpacked = unpacked();
    if (unpacked.isEmpty()) {
      // This build carries none and the system's was used: there is nothing that could be damaged.
      return;
    }
    assertThat(unpacked).hasSize(1);
    Files.write(unpacked.getFirst(), new byte[10]);
    assertThat(child()).contains("variant ");
    assertThat(Files.size(unpacked.getFirst())).isGreaterThan(1_000_000);
  }

  private List<Path> unpacked() throws IOException {
    Path root = folder.resolve("cache");
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }
}

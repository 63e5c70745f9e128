package dev.tintype.sampler.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broken case is a failed row with the reason, and the others still run. */
class BrokenCasesTest {
  private static final Path GOLDEN = Path.of("src/test/golden").toAbsolutePath();

  @TempDir Path root;
  private Device device;

  @BeforeEach
  void open() throws IOException {
    device = Devices.open("reference", DeviceOptions.defaults());
    Files.createSymbolicLink(root.resolve("models"), GOLDEN.resolve("models"));
    Files.createDirectories(root.resolve("cases"));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private Path copyOf(String name) throws IOException {
    Path copy = Files.createDirectories(root.resolve("cases").resolve(name));
    try (var files = Files.list(GOLDEN.resolve("cases").resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    return copy;
  }

  private GoldenRow only() {
    List<GoldenRow> rows = new GoldenRunner(root, device).run(row -> {});
    assertThat(rows).hasSize(1);
    return rows.getFirst();
  }

  @Test
  void emptyFolderFails() {
    assertThat(only().passed()).isFalse();
    assertThat(only().note()).contains("no cases");
  }

  @Test
  void missingTensorsFail() throws IOException {
    Files.delete(copyOf("guidance-cfg").resolve("inputs.safetensors"));
    assertThat(only().note()).contains("inputs.safetensors is missing");
  }

  @Test
  void truncatedTensorsFail() throws IOException {
    Path file = copyOf("guidance-cfg").resolve("expected.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 4));
    assertThat(only().passed()).isFalse();
    assertThat(only().note()).startsWith("weights.truncated");
  }

  @Test
  void unknownKindFails() throws IOException {
    Path file = copyOf("guidance-cfg").resolve("case.json");
    Files.writeString(file, Files.readString(file).replace("\"guidance\"", "\"divination\""));
    assertThat(only().note()).contains("kind divination");
  }

  @Test
  void missingModelFails() throws IOException {
    Path file = copyOf("text_encoder-clip-l-tiny").resolve("case.json");
    Files.writeString(file, Files.readString(file).replace("clip-l-tiny", "nowhere"));
    assertThat(only().note()).startsWith("model.not_found");
  }

  @Test
  void modelOutsideTheFolderFails() throws IOException {
    Path file = copyOf("text_encoder-clip-l-tiny").resolve("case.json");
    Files.writeString(file, Files.readString(file).replace("clip-l-tiny", "../../etc"));
    assertThat(only().note()).contains("expected a folder under models/");
  }

  @Test
  void anotherModelSaysWhereTheDifferenceBegins() throws IOException {
    Path file = copyOf("unet-sd15-tiny").resolve("case.json");
    Files.writeString(file, Files.readString(file).replace("5e-05", "1e-12"));
    GoldenRow row = only();
    assertThat(row.passed()).isFalse();
    assertThat(row.note()).contains("tap.conv_in").contains("tap.up_blocks.2");
  }
}

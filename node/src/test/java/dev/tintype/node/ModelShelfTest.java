package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.node.cli.Tintype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One folder that is broken must not stop what does not need it. */
class ModelShelfTest {
  @TempDir Path root;

  private void folder(String name, String card) throws IOException {
    Path folder = Files.createDirectories(root.resolve(name));
    Files.writeString(folder.resolve("model_index.json"), "{}");
    Files.writeString(folder.resolve("tintype.json"), card);
  }

  @Test
  void aBrokenFolderIsListedWithItsReasonAndTheOthersAreServed() throws IOException {
    folder("a-broken", "{ not json");
    folder("b-odd", "{\"steps\": -3}");
    folder("c-good", "{}");
    ModelShelf shelf = ModelShelf.scan(root);
    assertThat(shelf.models()).extracting(m -> m.card().name()).containsExactly("c-good");
    assertThat(shelf.broken())
        .extracting(ModelShelf.Broken::name)
        .containsExactly("a-broken", "b-odd");
    assertThat(shelf.choose(Optional.empty()).card().name()).isEqualTo("c-good");
    assertThatThrownBy(() -> shelf.choose(Optional.of("a-broken")))
        .isInstanceOf(NodeException.Start.class)
        .hasMessageContaining("tintype.json");
  }

  @Test
  void aServerTellsWhichFolderItLeavesOut(@TempDir Path data) throws IOException {
    folder("broken", "{ not json");
    List<String> told = new ArrayList<>();
    NodeConfig config =
        new SettingsReader(root)
            .flag("data", data)
            .flag("roles", "edge")
            .flag("port", 0)
            .flag("models", root)
            .read();
    Node.open(config, (part, found) -> told.add(part + " " + found), () -> {}).close();
    assertThat(told).anyMatch(line -> line.startsWith("models broken is left out: [model.card] "));
  }

  @Test
  void jsonAndTextEndWithTheSameCode() throws IOException {
    String[] text = {"models", "--models", root.toString()};
    String[] json = {"models", "--models", root.toString(), "--json"};
    assertThat(Tintype.run(text)).isEqualTo(Tintype.FAILED);
    assertThat(Tintype.run(json)).isEqualTo(Tintype.FAILED);
    folder("broken", "{ not json");
    assertThat(Tintype.run(text)).isEqualTo(Tintype.FAILED);
    assertThat(Tintype.run(json)).isEqualTo(Tintype.FAILED);
    folder("good", "{}");
    assertThat(Tintype.run(text)).isZero();
    assertThat(Tintype.run(json)).isZero();
  }

  @Test
  void whereAllAreBrokenTheFirstReasonIsTold() throws IOException {
    folder("only", "[");
    assertThatThrownBy(() -> ModelShelf.scan(root).choose(Optional.empty()))
        .hasMessageContaining("only");
  }
}

package dev.tintype.sampler.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.config.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTokenizerTest {
  private static final Path GOLDEN = Path.of("src/test/golden");

  private final ClipTokenizer tokenizer =
      ClipTokenizer.load(GOLDEN.resolve("models/clip-tokenizer"));

  @Test
  void givesTheIdsOfTransformers() {
    JsonNode testCase = JsonFile.read(GOLDEN.resolve("cases/tokenizer-clip/case.json"));
    for (int i = 0; i < testCase.get("prompts").size(); i++) {
      int[] expected = new int[77];
      JsonNode ids = testCase.get("input_ids").get(i);
      for (int j = 0; j < 77; j++) {
        expected[j] = ids.get(j).asInt();
      }
      String prompt = testCase.get("prompts").get(i).asText();
      assertThat(tokenizer.encode(prompt)).as(prompt).isEqualTo(expected);
    }
  }

  @Test
  void saysWhenAPromptIsCut() {
    assertThat(tokenizer.truncated("word ".repeat(75))).isFalse();
    assertThat(tokenizer.truncated("word ".repeat(76))).isTrue();
  }

  @Test
  void takesALongWordInReasonableTime() {
    assertThat(tokenizer.encode("ab".repeat(50_000))).hasSize(77);
  }

  @Test
  void namesAMissingFile(@TempDir Path folder) throws Exception {
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.json")
        .extracting(e -> ((ModelException) e).code())
        .isEqualTo("model.not_found");
    Files.writeString(folder.resolve("vocab.json"), "{\"a</w>\": \"x\"}");
    assertThatThrownBy(() -> ClipTokenizer.load(folder)).hasMessageContaining("whole number");
  }
}

package dev.tintype.sampler.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.SamplerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointTest {
  @TempDir Path folder;

  @Test
  void readsEveryFloatingType() throws IOException {
    byte[] data =
        ByteBuffer.allocate(8)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putFloat(1.5f)
            .putShort(Float.floatToFloat16(-2.5f))
            .putShort((short) (Float.floatToRawIntBits(3.0f) >>> 16))
            .array();
    Path file =
        write(
            "model.safetensors",
            """
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
             "b.c":{"dtype":"F16","shape":[],"data_offsets":[4,6]},
             "b.d":{"dtype":"BF16","shape":[1,1],"data_offsets":[6,8]},
             "__metadata__":{"format":"pt"}}\
            """,
            data);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.keys()).containsExactlyInAnyOrder("a", "b.c", "b.d");
      assertThat(checkpoint.get("a", 1).toFloats()).containsExactly(1.5f);
      WeightSource below = checkpoint.below("b");
      assertThat(below.keys()).containsExactlyInAnyOrder("c", "d");
      assertThat(below.get("c").toFloats()).containsExactly(-2.5f);
      assertThat(below.get("d", 1, 1).toFloats()).containsExactly(3.0f);
      assertThat(below.find("e", 1)).isEmpty();
      assertThatThrownBy(() -> below.get("d", 2))
          .hasMessageContaining(file.getFileName().toString())
          .hasMessageContaining("b.d")
          .hasMessageContaining("[1, 1]")
          .hasMessageContaining("[2]");
      assertThatThrownBy(() -> below.get("x", 2)).hasMessageContaining("b.x");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          weights.header    | {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}
          weights.header    | {"a":{"dtype":"F32","shape":[2]}}
          weights.header    | {"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}
          weights.header    | {"a":
          weights.header    | []
          weights.dtype     | {"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}
          weights.truncated | {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}
          """)
  void refusesAHostileHeader(String code, String header) throws IOException {
    Path file = write("model.safetensors", header, new byte[8]);
    assertThatThrownBy(() -> Checkpoint.open(folder).close())
        .isInstanceOf(WeightsException.class)
        .hasMessageContaining(file.toString())
        .extracting(e -> ((WeightsException) e).code())
        .isEqualTo(code);
  }

  @Test
  void refusesWhatIsNoCheckpoint() throws IOException {
    assertCode("weights.not_found");
    Files.writeString(folder.resolve("pytorch_model.bin"), "pickle");
    assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("convert it");
    Files.write(folder.resolve("model.safetensors"), new byte[5]);
    assertCode("weights.truncated");
    Files.write(
        folder.resolve("model.safetensors"),
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(-1).array());
    assertCode("weights.header");
    Files.write(
        folder.resolve("model.safetensors"),
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(1 << 20).array());
    assertCode("weights.truncated");
  }

  @Test
  void readsShardsAndRefusesAWrongIndex() throws IOException {
    String entry = "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    write("model-1.safetensors", entry.formatted("a"), new byte[8]);
    write("model-2.safetensors", entry.formatted("b"), new byte[8]);
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(
        index, "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.keys()).containsExactlyInAnyOrder("a", "b");
      assertThat(checkpoint.paths()).hasSize(2);
    }
    Files.writeString(index, "{\"weight_map\":{\"a\":\"../model-1.safetensors\"}}");
    assertCode("weights.index");
    Files.writeString(
        index, "{\"weight_map\":{\"a\":\"model-2.safetensors\",\"b\":\"model-1.safetensors\"}}");
    assertCode("weights.index");
    Files.writeString(index, "{\"weight_map\":{\"a\":\"model-3.safetensors\"}}");
    assertCode("weights.not_found");
    Files.writeString(index, "{}");
    assertCode("weights.index");
  }

  @Test
  void damagedBytesGiveItsOwnErrorsOnly() throws IOException {
    byte[] whole =
        Files.readAllBytes(Path.of("src/test/golden/cases/guidance-cfg/inputs.safetensors"));
    Random random = new Random(7);
    Path file = folder.resolve("model.safetensors");
    int refused = 0;
    for (int round = 0; round < 500; round++) {
      byte[] damaged = whole.clone();
      int header = 8 + ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getInt();
      for (int i = 0; i <= round % 4; i++) {
        damaged[random.nextInt(header)] = (byte) random.nextInt();
      }
      Files.write(file, damaged);
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        for (String key : checkpoint.keys()) {
          checkpoint.get(key).toFloats();
        }
      } catch (WeightsException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(250);
  }

  private void assertCode(String code) {
    assertThatThrownBy(() -> Checkpoint.open(folder).close())
        .isInstanceOf(SamplerException.class)
        .extracting(e -> ((SamplerException) e).code())
        .isEqualTo(code);
  }

  private Path write(String name, String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(json.length).put(json).put(data);
    Path path = folder.resolve(name);
    Files.write(path, file.array());
    return path;
  }
}

package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a model folder is said with a code, and nothing of it stays on the device. */
class BrokenFolderTest {
  private static final Path MODEL = Path.of("src/test/golden/models/sd-tiny");

  @TempDir Path folder;
  private Device device;

  @BeforeEach
  void copy() throws IOException {
    try (var files = Files.walk(MODEL)) {
      for (Path source : files.toList()) {
        Path target = folder.resolve(MODEL.relativize(source).toString());
        if (Files.isDirectory(source)) {
          Files.createDirectories(target);
        } else {
          Files.copy(source, target);
        }
      }
    }
    device = Devices.open("cpu", DeviceOptions.defaults());
  }

  @AfterEach
  void close() {
    device.close();
  }

  private void refused(String code, String... words) {
    refusedOnce(code, words);
    // The first load may leave scratch space that the device keeps for the next.
    long held = device.bytesHeld();
    refusedOnce(code, words);
    assertThat(device.bytesHeld()).isEqualTo(held);
  }

  private void refusedOnce(String code, String... words) {
    assertThatThrownBy(() -> DiffusionPipeline.load(folder, device, LoadOptions.defaults()))
        .isInstanceOfSatisfying(
            SamplerException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.getMessage()).contains(words);
            });
  }

  private void replace(String file, String what, String with) throws IOException {
    Path path = folder.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(what);
    Files.writeString(path, text.replace(what, with));
  }

  @Test
  void noModelIndex() throws IOException {
    Files.delete(folder.resolve("model_index.json"));
    refused("model.not_found", "model_index.json");
  }

  @Test
  void anotherPipeline() throws IOException {
    replace("model_index.json", "\"StableDiffusionPipeline\"", "\"FluxPipeline\"");
    refused("model.unsupported", "FluxPipeline", "StableDiffusionPipeline");
  }

  @Test
  void unknownArchitecture() throws IOException {
    replace("unet/config.json", "\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"");
    refused("model.unsupported", "class_embed_type", "timestep");
  }

  @Test
  void unknownBlock() throws IOException {
    replace("unet/config.json", "\"CrossAttnDownBlock2D\"", "\"SkipDownBlock2D\"");
    refused("model.unsupported", "down_block_types", "SkipDownBlock2D");
  }

  @Test
  void hostileExtents() throws IOException {
    replace("unet/config.json", "\"layers_per_block\": 1", "\"layers_per_block\": 2000000000");
    refused("model.config", "layers_per_block", "2000000000");
  }

  @Test
  void notJson() throws IOException {
    Files.writeString(folder.resolve("vae/config.json"), "{\"act_fn\": ");
    refused("model.config", "vae");
  }

  @Test
  void partsThatDoNotFit() throws IOException {
    replace("unet/config.json", "\"cross_attention_dim\": 32", "\"cross_attention_dim\": 48");
    refused("model.config", "cross_attention_dim", "48", "32");
  }

  @Test
  void configThatDoesNotFitTheWeights() throws IOException {
    replace("vae/config.json", "\"layers_per_block\": 1", "\"layers_per_block\": 2");
    refused("weights.missing", "vae");
  }

  @Test
  void truncatedWeights() throws IOException {
    Path file = folder.resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
    refused("weights.truncated", "vae");
  }

  @Test
  void aHeaderOfNoise() throws IOException {
    Path file = folder.resolve("unet/diffusion_pytorch_model.safetensors");
    Files.write(file, "not a checkpoint at all".repeat(9).getBytes(StandardCharsets.UTF_8));
    refused("weights.header", "unet");
  }

  @Test
  void noWeights() throws IOException {
    Files.delete(folder.resolve("text_encoder/model.safetensors"));
    refused("weights.not_found", "text_encoder");
  }
}

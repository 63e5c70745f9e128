package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.weights.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a model folder will take of a device, before any of it is loaded. */
public final class ModelWeights {
  private static final List<String> PARTS =
      List.of("unet", "vae", "text_encoder", "text_encoder_2");

  private ModelWeights() {}

  /**
   * Bytes of the weights on that device. Reads the headers of the weight files alone.
   *
   * @throws dev.tintype.sampler.weights.WeightsException codes {@code weights.*}
   */
  public static long bytes(Path folder, Device device) {
    long bytes = 0;
    for (String part : PARTS) {
      if (Files.isDirectory(folder.resolve(part))) {
        try (Checkpoint weights = Checkpoint.open(folder.resolve(part))) {
          for (String key : weights.keys()) {
            bytes += weights.get(key).shape().elements() * device.ops().dtype().bytes();
          }
        }
      }
    }
    return bytes;
  }
}

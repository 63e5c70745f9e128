package dev.tintype.sampler.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.config.ModelException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.model.AutoencoderKlConfig;
import dev.tintype.sampler.model.ClipTextConfig;
import dev.tintype.sampler.model.ClipTextModel;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.UNet2DConditionConfig;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulerConfig;
import dev.tintype.sampler.text.ClipTokenizer;
import dev.tintype.sampler.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Reads a folder as diffusers writes it. Configs are read and checked against each other before the
 * first weight is touched, so that a wrong folder fails at once.
 */
final class ComponentLoader {
  private static final List<String> SD_CLASSES =
      List.of(
          "StableDiffusionPipeline",
          "StableDiffusionImg2ImgPipeline",
          "StableDiffusionInpaintPipeline",
          "LatentConsistencyModelPipeline");
  private static final List<String> SDXL_CLASSES =
      List.of(
          "StableDiffusionXLPipeline",
          "StableDiffusionXLImg2ImgPipeline",
          "StableDiffusionXLInpaintPipeline");

  /** original size, crop, target size. */
  private static final int TIME_IDS = 6;

  /**
   * Activations while a picture of the native size is decoded, where they are largest: about 800
   * values per pixel in and out of the widest layers at full resolution.
   */
  private static final long WORK_VALUES_PER_PIXEL = 1024;

  private final Path folder;
  private final Device device;
  private final Ops ops;
  private final LoadOptions options;
  private final WeightHash hash = new WeightHash();
  private final Deque<AutoCloseable> loaded = new ArrayDeque<>();
  private long bytesTotal;
  private long bytesDone;

  private ComponentLoader(Path folder, Device device, LoadOptions options) {
    this.folder = folder;
    this.device = device;
    this.ops = device.ops();
    this.options = options;
  }

  static Components load(Path folder, Device device, LoadOptions options) {
    ComponentLoader loader = new ComponentLoader(folder, device, options);
    try {
      return loader.load();
    } catch (RuntimeException e) {
      loader.release();
      throw e;
    }
  }

  private void release() {
    for (AutoCloseable model : loaded) {
      try {
        model.close();
      } catch (Exception e) {
        throw new IllegalStateException("a model failed to close", e);
      }
    }
  }

  private Components load() {
    JsonNode index = JsonFile.read(folder.resolve("model_index.json"));
    String pipelineClass = index.path("_class_name").asText("");
    boolean xl = SDXL_CLASSES.contains(pipelineClass);
    if (!xl && !SD_CLASSES.contains(pipelineClass)) {
      throw new ModelException(
          "model.unsupported",
          folder.resolve("model_index.json")
              + ": _class_name is \""
              + pipelineClass
              + "\"; supported are "
              + SD_CLASSES
              + " and "
              + SDXL_CLASSES);
    }
    if (index.path("requires_aesthetics_score").asBoolean(false)) {
      throw new ModelException(
          "model.unsupported",
          folder + ": requires_aesthetics_score is true; refiner models are not supported");
    }
    List<String> suffixes = xl ? List.of("", "_2") : List.of("");
    List<ClipTextConfig> textConfigs = new ArrayList<>();
    List<ClipTokenizer> tokenizers = new ArrayList<>();
    for (String suffix : suffixes) {
      textConfigs.add(ClipTextConfig.read(config("text_encoder" + suffix)));
      tokenizers.add(ClipTokenizer.load(folder.resolve("tokenizer" + suffix)));
    }
    UNet2DConditionConfig unetConfig = UNet2DConditionConfig.read(config("unet"));
    AutoencoderKlConfig vaeConfig = AutoencoderKlConfig.read(config("vae"));
    SchedulerConfig scheduler = scheduler(pipelineClass);
    check(xl, textConfigs, tokenizers, unetConfig, vaeConfig);
    requireMemory(weightBytes(suffixes), unetConfig.sampleSize() * vaeConfig.scaleFactor());

    List<TextEncoders.Encoder> encoders = new ArrayList<>();
    for (int i = 0; i < suffixes.size(); i++) {
      encoders.add(
          new TextEncoders.Encoder(
              tokenizers.get(i),
              model("text_encoder" + suffixes.get(i), textConfigs.get(i), this::textModel)));
    }
    boolean zeros = index.path("force_zeros_for_empty_prompt").asBoolean(xl);
    TextEncoders text = new TextEncoders(ops, encoders, xl, xl && zeros);
    UNet2DConditionModel unet =
        model("unet", unetConfig, (c, w) -> UNet2DConditionModel.load(c, w, ops));
    AutoencoderKl vae = model("vae", vaeConfig, (c, w) -> AutoencoderKl.load(c, w, ops));
    options.listener().loading("ready", 1);
    ModelInfo info =
        new ModelInfo(
            folder.toAbsolutePath().normalize().getFileName().toString(),
            pipelineClass,
            vaeConfig.latentChannels(),
            vaeConfig.scaleFactor(),
            unetConfig.sampleSize() * vaeConfig.scaleFactor(),
            unetConfig.sampleSize() * vaeConfig.scaleFactor(),
            scheduler.kind().userName(),
            text.tokens(),
            unetConfig.inChannels() != unetConfig.outChannels(),
            text.bytes() + unet.bytes() + vae.bytes(),
            hash.hex());
    return new Components(info, text, unet, vae, scheduler);
  }

  /**
   * The Stable Diffusion pipelines of diffusers overrule two options of old folders when they are
   * made: timesteps are offset by one, and x0 is not clipped.
   */
  private SchedulerConfig scheduler(String pipelineClass) {
    JsonNode json = JsonFile.read(folder.resolve("scheduler").resolve("scheduler_config.json"));
    if (pipelineClass.startsWith("StableDiffusion")
        && !SDXL_CLASSES.contains(pipelineClass)
        && json instanceof ObjectNode options) {
      options.put("steps_offset", 1);
      options.put("clip_sample", false);
    }
    return SchedulerConfig.of(json.path("_class_name").asText(""), json);
  }

  private ClipTextModel textModel(ClipTextConfig config, Checkpoint weights) {
    return ClipTextModel.load(config, weights, ops);
  }

  private ConfigReader config(String part) {
    if (!Files.isDirectory(folder.resolve(part))) {
      throw new ModelException("model.not_found", folder.resolve(part) + ": no such folder");
    }
    return ConfigReader.ofFolder(folder.resolve(part));
  }

  private <C, M extends AutoCloseable> M model(
      String part, C config, BiFunction<C, Checkpoint, M> load) {
    options.listener().loading(part, bytesTotal == 0 ? 0 : (double) bytesDone / bytesTotal);
    try (Checkpoint weights = Checkpoint.open(folder.resolve(part))) {
      M model = load.apply(config, weights);
      loaded.push(model);
      for (Path file : weights.paths()) {
        bytesDone += hash.add(part, file);
      }
      return model;
    }
  }

  /** Bytes of the weights on the device; counts those of the files too. */
  private long weightBytes(List<String> suffixes) {
    List<String> parts = new ArrayList<>(List.of("unet", "vae"));
    suffixes.forEach(suffix -> parts.add("text_encoder" + suffix));
    long bytes = 0;
    for (String part : parts) {
      try (Checkpoint weights = Checkpoint.open(folder.resolve(part))) {
        for (Path file : weights.paths()) {
          bytesTotal += Files.size(file);
        }
        for (String key : weights.keys()) {
          bytes += weights.get(key).shape().elements() * ops.dtype().bytes();
        }
      } catch (IOException e) {
        throw new ModelException("model.not_found", part + ": " + e.getMessage(), e);
      }
    }
    return bytes;
  }

  /** Before the first weight is moved: half a model is of no use. */
  private void requireMemory(long weights, int extent) {
    long work = WORK_VALUES_PER_PIXEL * ops.dtype().bytes() * extent * extent;
    long free = device.bytesFree();
    if (weights + work > free) {
      throw new DeviceException(
          DeviceException.OUT_OF_MEMORY,
          ("%s needs %,d bytes on %s: %,d for its weights and about %,d to work on %dx%d pixels;"
                  + " %,d are to be had. Use a smaller model, a larger card, or end what else uses"
                  + " this one")
              .formatted(
                  folder.getFileName(),
                  weights + work,
                  device.name(),
                  weights,
                  work,
                  extent,
                  extent,
                  free));
    }
  }

  /** The parts must fit each other. */
  private void check(
      boolean xl,
      List<ClipTextConfig> text,
      List<ClipTokenizer> tokenizers,
      UNet2DConditionConfig unet,
      AutoencoderKlConfig vae) {
    int textChannels = text.stream().mapToInt(ClipTextConfig::hiddenSize).sum();
    for (int dim : unet.crossAttentionDim()) {
      fits(dim == textChannels, "unet cross_attention_dim", dim, "text hidden_size", textChannels);
    }
    int latent = vae.latentChannels();
    fits(
        unet.outChannels() == latent,
        "unet out_channels",
        unet.outChannels(),
        "vae latent_channels",
        latent);
    boolean plain = unet.inChannels() == latent;
    fits(
        plain || unet.inChannels() == 2 * latent + 1,
        "unet in_channels",
        unet.inChannels(),
        "vae latent_channels (or twice that and 1)",
        latent);
    for (int i = 0; i < text.size(); i++) {
      int length = tokenizers.get(i).length();
      int positions = text.get(i).positions();
      fits(length <= positions, "tokenizer length", length, "max_position_embeddings", positions);
      int end = tokenizers.get(i).endId();
      fits(end < text.get(i).vocabSize(), "end token", end, "vocab_size", text.get(i).vocabSize());
    }
    fits(unet.addition().isPresent() == xl, "unet addition_embed_type", xl ? 0 : 1, "pipeline", 0);
    unet.addition()
        .ifPresent(
            a -> {
              int given = TIME_IDS * a.timeEmbedDim() + text.getLast().projectionDim();
              fits(
                  a.inputDim() == given,
                  "unet projection_class_embeddings_input_dim",
                  a.inputDim(),
                  "six times addition_time_embed_dim and projection_dim",
                  given);
            });
  }

  private void fits(boolean holds, String what, long found, String other, long expected) {
    if (!holds) {
      throw new ModelException(
          "model.config",
          folder + ": " + what + " is " + found + ", which does not fit " + other + " " + expected);
    }
  }
}

package dev.tintype.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.prompt.Size;
import dev.tintype.sampler.schedule.SchedulerKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The model folders of a node. A folder with {@code model_index.json} is a model, as diffusers
 * writes it; {@code tintype.json} beside it may say what suits the model best. What it does not say
 * is taken from the model's own files.
 */
public final class ModelShelf {
  /** All that the engine can sample with. */
  private static final List<String> SCHEDULERS = SchedulerKind.userNames();

  private static final int JSON_BYTES_MAX = 1 << 20;
  private static final int MODELS_MAX = 1_000;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /**
   * A model on the shelf.
   *
   * @param bytes of all its files
   */
  public record Model(ModelCard card, Path folder, long bytes) {}

  /**
   * A folder that wants to be a model and cannot: the others are served all the same.
   *
   * @param reason in words, with the file
   */
  public record Broken(String name, Path folder, NodeException.Start reason) {}

  private final Path root;
  private final List<Model> models;
  private final List<Broken> broken;

  private ModelShelf(Path root, List<Model> models, List<Broken> broken) {
    this.root = root;
    this.models = models;
    this.broken = broken;
  }

  /** Looks at the folders below {@code root}, sorted by name; no weights are read. */
  public static ModelShelf scan(Path root) {
    List<Model> models = new ArrayList<>();
    List<Broken> broken = new ArrayList<>();
    if (Files.isDirectory(root)) {
      try (Stream<Path> folders = Files.list(root)) {
        folders
            .filter(folder -> Files.isRegularFile(folder.resolve("model_index.json")))
            .sorted()
            .limit(MODELS_MAX)
            .forEach(folder -> add(folder, models, broken));
      } catch (IOException e) {
        throw new NodeException.Start(
            "model.folder", "The models folder " + root + " cannot be read: " + IoReason.of(e), e);
      }
    }
    return new ModelShelf(root, List.copyOf(models), List.copyOf(broken));
  }

  private static void add(Path folder, List<Model> models, List<Broken> broken) {
    try {
      models.add(model(folder));
    } catch (NodeException.Start e) {
      broken.add(new Broken(folder.getFileName().toString(), folder, e));
    }
  }

  /** Folders that were left out, and why. */
  public List<Broken> broken() {
    return broken;
  }

  public List<Model> models() {
    return models;
  }

  /**
   * The model of that name, or the first.
   *
   * @throws NodeException.Start model.missing, or what is wrong with the folder of that name
   */
  public Model choose(Optional<String> name) {
    broken.stream()
        .filter(folder -> name.map(folder.name()::equals).orElse(models.isEmpty()))
        .findFirst()
        .ifPresent(
            folder -> {
              throw folder.reason();
            });
    return models.stream()
        .filter(model -> name.isEmpty() || model.card().name().equals(name.get()))
        .findFirst()
        .orElseThrow(
            () ->
                new NodeException.Start(
                    "model.missing",
                    "There is no model"
                        + name.map(n -> " \"" + n + "\"").orElse("")
                        + " in "
                        + root.toAbsolutePath().normalize()
                        + names()
                        + ". A model is a folder as diffusers writes it, with a model_index.json;"
                        + " name the folder around it with --models."));
  }

  private String names() {
    return models.isEmpty()
        ? ""
        : "; there are " + String.join(", ", models.stream().map(m -> m.card().name()).toList());
  }

  private static Model model(Path folder) {
    String name = folder.getFileName().toString();
    JsonNode own = json(folder.resolve("tintype.json"));
    JsonNode unet = json(folder.resolve("unet/config.json"));
    JsonNode vae = json(folder.resolve("vae/config.json"));
    JsonNode scheduler = json(folder.resolve("scheduler/scheduler_config.json"));
    int scale = 1 << Math.max(0, vae.path("block_out_channels").size() - 1);
    int side = Math.max(8, unet.path("sample_size").asInt(64) * scale);
    int granularity = Math.max(8, scale << Math.max(0, unet.path("block_out_channels").size() - 1));
    int width = own.path("width").asInt(side);
    int height = own.path("height").asInt(side);
    int sideMax = own.path("side_max").asInt(Math.min(2048, side * 4));
    try {
      ModelCard card =
          new ModelCard(
              name,
              own.path("description").asText("Stable Diffusion checkpoint " + name),
              new Size(width, height),
              own.path("side_min").asInt(Math.min(granularity * 2, Math.min(width, height))),
              sideMax,
              own.path("pixels_max")
                  .asLong(Math.max((long) side * side * 4, (long) width * height)),
              own.path("granularity").asInt(granularity),
              own.path("steps").asInt(20),
              own.path("guidance_scale").asDouble(7.5),
              own.path("guidance_rescale").asDouble(0),
              own.path("scheduler").asText(scheduler(scheduler.path("_class_name").asText())),
              SCHEDULERS,
              own.path("clip_skip_max").asInt(0));
      return new Model(card, folder, bytes(folder));
    } catch (IllegalArgumentException e) {
      throw new NodeException.Start(
          "model.card", "The model " + folder + " describes itself badly: " + e.getMessage(), e);
    }
  }

  private static String scheduler(String className) {
    return switch (className) {
      case "EulerDiscreteScheduler" -> "euler";
      case "EulerAncestralDiscreteScheduler" -> "euler_a";
      case "DPMSolverMultistepScheduler" -> "dpmpp_2m";
      case "DDPMScheduler" -> "ddpm";
      case "LCMScheduler" -> "lcm";
      default -> "ddim";
    };
  }

  /** An empty object for a file that is not there. */
  private static JsonNode json(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        return MAPPER.createObjectNode();
      }
      if (Files.size(file) > JSON_BYTES_MAX) {
        throw new NodeException.Start("model.card", file + " is larger than 1 MiB.");
      }
      return MAPPER.readTree(file.toFile());
    } catch (IOException e) {
      throw new NodeException.Start(
          "model.card",
          file + " is not JSON: " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    }
  }

  private static long bytes(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(ModelShelf::size).sum();
    } catch (IOException | UncheckedIOException e) {
      throw new NodeException.Start(
          "model.folder", "The model folder " + folder + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code 41.3 MB}. */
  public static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }
}

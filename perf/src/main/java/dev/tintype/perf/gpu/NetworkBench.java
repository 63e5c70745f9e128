package dev.tintype.perf.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.model.AutoencoderKlConfig;
import dev.tintype.sampler.model.ClipTextConfig;
import dev.tintype.sampler.model.ClipTextModel;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.UNet2DConditionConfig;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.model.UNet2DConditionModel.AddedConditions;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.ProfiledOps;
import dev.tintype.sampler.weights.Checkpoint;
import dev.tintype.sampler.weights.HostTensor;
import dev.tintype.sampler.weights.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Times and compares one network, launched from Java and replayed as a graph. */
final class NetworkBench {
  private static final int WARM_UP = 3;
  private static final int REPEATS = 20;
  private static final int TEXT_TOKENS = 77;
  private static final int TIME_IDS = 6;
  private static final double TIMESTEP = 481;
  private static final String PARITY = "parity.safetensors";
  private static final String OUTPUT = "output";

  /** Relative error of fp32 in a network of this depth. */
  private static final double EXACT = 1e-5;

  private static final int PROFILE_LINES = 32;

  private NetworkBench() {}

  /** The folder's weights, or random ones where it has none. */
  private static WeightSource weights(Path folder) {
    return Files.exists(folder.resolve("diffusion_pytorch_model.safetensors"))
            || Files.exists(folder.resolve("diffusion_pytorch_model.safetensors.index.json"))
        ? Checkpoint.open(folder)
        : new RandomWeights(1);
  }

  static boolean unet(Device device, Path folder, int[] batches, long started, Results results) {
    ObjectNode result = results.root();
    UNet2DConditionConfig config = UNet2DConditionConfig.read(ConfigReader.ofFolder(folder));
    int size = ConfigReader.ofFolder(folder).integer("sample_size", 8, 1024);
    Ops ops = device.ops();
    try (UNet2DConditionModel model = UNet2DConditionModel.load(config, weights(folder), ops)) {
      result.put("weight_bytes", model.bytes());
      boolean agreed = true;
      if (Files.exists(folder.resolve(PARITY))) {
        agreed = unetParity(model, ops, folder.resolve(PARITY), result.withObject("/parity"));
        results.save();
      }
      for (int batch : batches) {
        ObjectNode row = result.withObject("/batches").withObject("/" + batch);
        agreed &= unetTimes(device, model, size, batch, row);
        if (!result.has("cold_start_s")) {
          result.put("cold_start_s", row.remove("first_done_ns").asLong() / 1e9 - started / 1e9);
        }
        row.remove("first_done_ns");
        System.out.println(folder.getFileName() + " batch " + batch + ": " + row);
        result.put("bytes_held", device.bytesHeld());
        results.save();
      }
      return agreed;
    }
  }

  /** Where one step goes: a table per verb and shape. Each verb is waited for. */
  static boolean profile(Device device, Path folder, int batch, Path out) {
    UNet2DConditionConfig config = UNet2DConditionConfig.read(ConfigReader.ofFolder(folder));
    int size = ConfigReader.ofFolder(folder).integer("sample_size", 8, 1024);
    ProfiledOps ops = new ProfiledOps(device.ops());
    try (UNet2DConditionModel model = UNet2DConditionModel.load(config, weights(folder), ops)) {
      onStep(
          ops,
          model,
          size,
          batch,
          step -> {
            for (int i = 0; i < WARM_UP; i++) {
              step.get().close();
            }
            ops.reset();
            step.get().close();
          });
    }
    try {
      Files.writeString(out, ops.report());
    } catch (IOException e) {
      throw new UncheckedIOException(out + " cannot be written", e);
    }
    ops.report().lines().limit(PROFILE_LINES).forEach(System.out::println);
    return true;
  }

  private static boolean unetTimes(
      Device device, UNet2DConditionModel model, int size, int batch, ObjectNode row) {
    boolean[] timed = new boolean[1];
    onStep(
        device.ops(),
        model,
        size,
        batch,
        step -> {
          step.get().close();
          device.ops().synchronize();
          row.put("first_done_ns", System.nanoTime());
          timed[0] = times(device, step, row);
        });
    return timed[0];
  }

  /** Hands over one step with guidance, ready to run. */
  private static void onStep(
      Ops ops, UNet2DConditionModel model, int size, int batch, Consumer<Supplier<Tensor>> use) {
    int rows = 2 * batch;
    UNet2DConditionConfig config = model.config();
    int textDim = config.crossAttentionDim().getFirst();
    double[] timesteps = new double[rows];
    Arrays.fill(timesteps, TIMESTEP);
    try (Tensor sample = noise(ops, 1, batch, Shape.of(size, size, config.inChannels()));
        Tensor prompt = noise(ops, 2, rows, Shape.of(TEXT_TOKENS, textDim));
        TextStates text = model.encodeText(prompt);
        Tensor time = embedTime(model, ops, timesteps, size)) {
      use.accept(() -> model.forward(sample, time, text));
    }
  }

  private static Tensor embedTime(
      UNet2DConditionModel model, Ops ops, double[] timesteps, int size) {
    if (model.config().addition().isEmpty()) {
      return model.embedTime(timesteps, Optional.empty());
    }
    var addition = model.config().addition().get();
    int pooled = addition.inputDim() - TIME_IDS * addition.timeEmbedDim();
    double[][] ids = new double[timesteps.length][];
    Arrays.fill(ids, new double[] {8.0 * size, 8.0 * size, 0, 0, 8.0 * size, 8.0 * size});
    try (Tensor text = noise(ops, 3, timesteps.length, Shape.of(pooled))) {
      return model.embedTime(timesteps, Optional.of(new AddedConditions(text, ids)));
    }
  }

  private static Tensor noise(Ops ops, long stream, int samples, Shape item) {
    long[] seeds = new long[samples];
    Arrays.setAll(seeds, i -> i + 1);
    return ops.normalNoise(seeds, stream, item);
  }

  /**
   * Medians of launching from Java, and of replaying a recording of the same. False where the
   * device records and this could not be recorded: then the launched time is there, and the reason.
   */
  static boolean times(Device device, Supplier<Tensor> work, ObjectNode row) {
    row.put(
        "eager_ms",
        median(
            device,
            () -> {
              work.get().close();
            }));
    if (device.recorder().isEmpty()) {
      return true;
    }
    Tensor[] out = new Tensor[1];
    try (Graph graph = device.recorder().get().record(() -> out[0] = work.get())) {
      row.put("graph_ms", median(device, graph::replay));
      return true;
    } catch (RuntimeException e) {
      row.put("graph_failure", e.toString());
      System.err.println("bench: this step could not be recorded as a graph: " + e);
      return false;
    } finally {
      if (out[0] != null) {
        out[0].close();
      }
    }
  }

  private static double median(Device device, Runnable work) {
    Ops ops = device.ops();
    for (int i = 0; i < WARM_UP; i++) {
      work.run();
    }
    ops.synchronize();
    double[] ms = new double[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
      long begun = System.nanoTime();
      work.run();
      ops.synchronize();
      ms[i] = (System.nanoTime() - begun) / 1e6;
    }
    Arrays.sort(ms);
    return ms[REPEATS / 2];
  }

  static boolean vae(Device device, Path folder, int[] sizes, Results results) {
    ObjectNode result = results.root();
    AutoencoderKlConfig config = AutoencoderKlConfig.read(ConfigReader.ofFolder(folder));
    Ops ops = device.ops();
    boolean agreed = true;
    try (AutoencoderKl model = AutoencoderKl.load(config, weights(folder), ops)) {
      if (Files.exists(folder.resolve(PARITY))) {
        try (Checkpoint parity = Checkpoint.open(folder.resolve(PARITY));
            Tensor latent = upload(ops, parity.get("sample"));
            Tensor picture = model.decode(latent)) {
          agreed = compare(ops, picture, parity, result.withObject("/parity"));
          results.save();
        }
      }
      for (int size : sizes) {
        int extent = size / config.scaleFactor();
        try (Tensor latent = noise(ops, 4, 1, Shape.of(extent, extent, config.latentChannels()))) {
          ObjectNode row = Results.JSON.createObjectNode();
          agreed &= times(device, () -> model.decode(latent), row);
          result.withObject("/sizes").put(Integer.toString(size), row.get("eager_ms").asDouble());
          result.withObject("/details").set(Integer.toString(size), row);
          System.out.println("vae " + size + ": " + row);
          results.save();
        }
      }
    }
    return agreed;
  }

  // ---- results against diffusers on the same weights

  /**
   * A text encoder's last states against PyTorch's; of one with a projection, the states before its
   * last layer and the pooled text, which is what SDXL takes of it.
   */
  static boolean text(Device device, Path folder, Results results) {
    ClipTextConfig config = ClipTextConfig.read(ConfigReader.ofFolder(folder));
    Ops ops = device.ops();
    try (Checkpoint weights = Checkpoint.open(folder);
        ClipTextModel model = ClipTextModel.load(config, weights, ops);
        Checkpoint parity = Checkpoint.open(folder.resolve(PARITY))) {
      double[][] rows = rows(parity.get("input_ids"));
      int[][] ids = new int[rows.length][];
      Arrays.setAll(ids, i -> Arrays.stream(rows[i]).mapToInt(id -> (int) id).toArray());
      boolean projected = model.hasProjection();
      ObjectNode result = results.root().withObject("/parity");
      try (ClipTextModel.Encoded encoded = model.encode(ids, projected ? 1 : 0)) {
        Tensor states = projected ? encoded.hidden() : encoded.lastHiddenState();
        boolean agreed = compare(ops.download(states), parity, OUTPUT, result);
        if (projected) {
          agreed &=
              compare(
                  ops.download(encoded.pooled()), parity, "pooled", result.withObject("/pooled"));
        }
        results.save();
        return agreed;
      }
    }
  }

  private static boolean unetParity(
      UNet2DConditionModel model, Ops ops, Path file, ObjectNode result) {
    try (Checkpoint parity = Checkpoint.open(file);
        Tensor sample = upload(ops, parity.get("sample"));
        Tensor prompt = sequence(ops, parity.get("encoder_hidden_states"))) {
      float[] steps = parity.get("timestep").toFloats();
      double[] timesteps = new double[steps.length];
      Arrays.setAll(timesteps, i -> steps[i]);
      Optional<Tensor> pooled =
          parity.contains("text_embeds")
              ? Optional.of(sequence(ops, parity.get("text_embeds")))
              : Optional.empty();
      Optional<AddedConditions> added =
          pooled.map(text -> new AddedConditions(text, rows(parity.get("time_ids"))));
      try (Tensor out =
          model.forward(sample, timesteps, prompt, added, UNet2DConditionModel.Tap.NONE)) {
        return compare(ops, out, parity, result);
      } finally {
        pooled.ifPresent(Tensor::close);
      }
    }
  }

  /** [n, c, h, w] of PyTorch. */
  private static Tensor upload(Ops ops, HostTensor tensor) {
    try (Tensor planar = ops.upload(tensor.toFloats(), tensor.shape())) {
      return ops.toNhwc(planar);
    }
  }

  private static Tensor sequence(Ops ops, HostTensor tensor) {
    return ops.upload(tensor.toFloats(), tensor.shape());
  }

  private static double[][] rows(HostTensor tensor) {
    float[] flat = tensor.toFloats();
    double[][] rows = new double[tensor.shape().intDim(0)][tensor.shape().intDim(1)];
    for (int i = 0; i < flat.length; i++) {
      rows[i / rows[0].length][i % rows[0].length] = flat[i];
    }
    return rows;
  }

  /**
   * Our error and diffusers' own fp16 error, both relative to diffusers in fp32: ||a - b|| / ||b||.
   * Agreed when ours is at most twice theirs, or as small as fp32 makes it.
   */
  private static boolean compare(Ops ops, Tensor out, Checkpoint parity, ObjectNode result) {
    try (Tensor planar = ops.toNchw(out)) {
      return compare(ops.download(planar), parity, OUTPUT, result);
    }
  }

  /**
   * @param name of the tensor there, which is followed by 16 and by 32
   */
  private static boolean compare(float[] ours, Checkpoint parity, String name, ObjectNode result) {
    float[] exact = parity.get(name + "32").toFloats();
    double error = distance(ours, exact);
    double theirs = distance(parity.get(name + "16").toFloats(), exact);
    result.put("relative_error", error).put("diffusers_fp16_relative_error", theirs);
    System.out.printf(
        Locale.ROOT, "parity of %s: ours %.3g, diffusers fp16 %.3g%n", name, error, theirs);
    return error <= Math.max(2 * theirs, EXACT);
  }

  private static double distance(float[] a, float[] b) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < b.length; i++) {
      difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      norm += (double) b[i] * b[i];
    }
    return Math.sqrt(difference / norm);
  }
}

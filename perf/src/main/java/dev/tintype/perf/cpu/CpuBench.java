package dev.tintype.perf.cpu;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.model.AutoencoderKlConfig;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.UNet2DConditionConfig;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.ProfiledOps;
import dev.tintype.sampler.weights.Checkpoint;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Arguments: MODEL FOLDER SIDE TOKENS THREADS PRECISION. FOLDER holds sample.f32 [1, side, side,
 * channels] and text.f32 [2, tokens, channels], raw little-endian. Each line on standard input is a
 * piece of work; the answer is its time in nanoseconds:
 *
 * <pre>
 *   step     the UNet on one sample with guidance: two rows, keys and values of the text made before
 *   forward  the UNet on one row, keys and values of the text included
 *   vae      the VAE's decoder
 *   write    the last result to FOLDER/result.f32
 *   profile  time per verb so far, to standard error (with -Dtintype.profile=true)
 * </pre>
 */
public final class CpuBench {
  private static final double TIMESTEP = 499;

  private final Ops ops;
  private final UNet2DConditionModel unet;
  private final AutoencoderKl vae;
  private final Tensor sample;
  private final Tensor text;
  private final TextStates states;
  private Optional<Tensor> last = Optional.empty();

  private CpuBench(Ops ops, Path model, Path folder, int side, int tokens) throws IOException {
    this.ops = ops;
    Path unetFolder = model.resolve("unet");
    Path vaeFolder = model.resolve("vae");
    var unetConfig = UNet2DConditionConfig.read(ConfigReader.ofFolder(unetFolder));
    var vaeConfig = AutoencoderKlConfig.read(ConfigReader.ofFolder(vaeFolder));
    try (Checkpoint weights = Checkpoint.open(unetFolder)) {
      unet = UNet2DConditionModel.load(unetConfig, weights, ops);
    }
    try (Checkpoint weights = Checkpoint.open(vaeFolder)) {
      vae = AutoencoderKl.load(vaeConfig, weights, ops);
    }
    int textChannels = unetConfig.crossAttentionDim().getFirst();
    sample = read(folder.resolve("sample.f32"), 1, side, side, unetConfig.inChannels());
    text = read(folder.resolve("text.f32"), 2, tokens, textChannels);
    states = unet.encodeText(text);
  }

  public static void main(String[] arguments) throws IOException {
    Path model = Path.of(arguments[0]);
    Path folder = Path.of(arguments[1]);
    DeviceOptions options =
        DeviceOptions.defaults()
            .withThreads(Integer.parseInt(arguments[4]))
            .withPrecision(DeviceOptions.Precision.valueOf(arguments[5]))
            .withProfile(Boolean.getBoolean("tintype.profile"));
    try (Device device = Devices.open("cpu", options)) {
      CpuBench bench =
          new CpuBench(
              device.ops(),
              model,
              folder,
              Integer.parseInt(arguments[2]),
              Integer.parseInt(arguments[3]));
      System.out.println("ready " + device.description());
      var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        System.out.println(bench.answer(line, folder));
      }
      bench.close();
    }
  }

  private String answer(String line, Path folder) throws IOException {
    return switch (line) {
      case "step", "forward", "vae" -> Long.toString(time(line));
      case "write" -> {
        write(folder.resolve("result.f32"));
        yield "written";
      }
      case "profile" -> {
        if (ops instanceof ProfiledOps profiled) {
          System.err.println(profiled.report());
          profiled.reset();
        }
        yield "profiled";
      }
      default -> throw new IllegalArgumentException("unknown work: " + line);
    };
  }

  private long time(String work) {
    last.ifPresent(Tensor::close);
    long start = nanos();
    last = Optional.of(run(work));
    return nanos() - start;
  }

  /** Wall clock, or the processor time of this thread, which other programs do not stretch. */
  private static long nanos() {
    return Boolean.getBoolean("tintype.bench.cpu")
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  private Tensor run(String work) {
    return switch (work) {
      case "step" -> {
        try (Tensor time = unet.embedTime(new double[] {TIMESTEP, TIMESTEP}, Optional.empty())) {
          yield unet.forward(sample, time, states);
        }
      }
      case "forward" -> {
        try (TextStates fresh = unet.encodeText(text.slice(0, 1));
            Tensor time = unet.embedTime(new double[] {TIMESTEP}, Optional.empty())) {
          yield unet.forward(sample, time, fresh);
        }
      }
      default -> vae.decode(sample);
    };
  }

  private Tensor read(Path file, long... dims) throws IOException {
    FloatBuffer floats =
        ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] values = new float[floats.remaining()];
    floats.get(values);
    return ops.upload(values, Shape.of(dims));
  }

  private void write(Path file) throws IOException {
    float[] values = ops.download(last.orElseThrow());
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    Files.write(file, bytes.array());
  }

  private void close() {
    last.ifPresent(Tensor::close);
    states.close();
    text.close();
    sample.close();
    vae.close();
    unet.close();
  }
}

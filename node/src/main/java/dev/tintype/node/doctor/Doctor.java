package dev.tintype.node.doctor;

import dev.tintype.edge.vips.VipsLibrary;
import dev.tintype.node.DataFolder;
import dev.tintype.node.IoReason;
import dev.tintype.node.ModelShelf;
import dev.tintype.node.NodeConfig;
import dev.tintype.node.NodeException;
import dev.tintype.node.Web;
import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.ops.cuda.CudaReport;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Examines this machine for one configuration. */
public final class Doctor {
  private static final List<String> FAST_CPU =
      List.of("avx2", "avx512f", "avx512_bf16", "amx_bf16");
  private static final long FREE_BYTES_GOOD = 2L << 30;
  private static final long MEMORY_BYTES_GOOD = 3L << 30;

  private final NodeConfig config;
  private final SharedLibraries libraries;

  public Doctor(NodeConfig config) {
    this.config = config;
    this.libraries = SharedLibraries.ofThisMachine();
  }

  /** All findings, in the order in which a person would ask. */
  public List<Finding> examine() {
    List<Finding> all = new ArrayList<>();
    all.add(Finding.ok("java", Runtime.version() + " in " + System.getProperty("java.home")));
    all.add(cpu());
    all.add(memory());
    all.add(disk());
    all.add(port());
    config
        .tls()
        .ifPresent(tls -> all.add(new TlsCheck(tls, config.publicUrl()).finding(Instant.now())));
    all.add(models());
    all.add(device("cpu", "onednn"));
    all.addAll(gpu());
    all.add(vips());
    return all;
  }

  private static Finding cpu() {
    int cores = Runtime.getRuntime().availableProcessors();
    String name = System.getProperty("os.arch");
    Set<String> flags = Set.of();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        String value = line.substring(line.indexOf(':') + 1).strip();
        if (line.startsWith("model name")) {
          name = value;
        } else if (line.startsWith("flags")) {
          flags = Set.of(value.split(" +"));
          break;
        }
      }
    } catch (IOException e) {
      return Finding.note(
          "cpu",
          cores + " cores, " + name,
          "Its features are not known; oneDNN finds them itself.");
    }
    List<String> features = FAST_CPU.stream().filter(flags::contains).toList();
    String found = name + ", " + cores + " cores, " + String.join(" ", features);
    return features.isEmpty()
        ? Finding.note("cpu", found, "Without AVX2 a picture takes several times as long.")
        : Finding.ok("cpu", found);
  }

  private static Finding memory() {
    long bytes =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? system.getTotalMemorySize()
            : 0;
    String found = "%.1f GB".formatted(bytes / 1e9);
    return bytes < MEMORY_BYTES_GOOD
        ? Finding.note("memory", found, "tintype-mini wants about 2 GB for everything together.")
        : Finding.ok("memory", found);
  }

  private Finding disk() {
    Path folder = config.data().toAbsolutePath().normalize();
    try {
      Path place = folder;
      while (!Files.exists(place)) {
        place = place.getParent();
      }
      long free = Files.getFileStore(place).getUsableSpace();
      String found = "%.1f GB free for %s".formatted(free / 1e9, folder);
      if (!Files.isWritable(place)) {
        return Finding.missing(
            "data", place + " is not writable", "Give yourself the right, or use --data.");
      }
      return free < FREE_BYTES_GOOD
          ? Finding.note("data", found, "Make room: the database and pictures want some GB.")
          : Finding.ok("data", found);
    } catch (IOException e) {
      return Finding.missing(
          "data", folder + ": " + IoReason.of(e), "Choose another folder with --data.");
    }
  }

  private Finding port() {
    if (Web.portFree(config)) {
      return Finding.ok("port", config.port() + " is free");
    }
    Optional<String> ours = DataFolder.serverUrl(config.data());
    return ours.isPresent()
        ? Finding.ok(
            "port", config.port() + " is taken; this data folder's server is " + ours.get())
        : Finding.note(
            "port", config.port() + " is taken by another program", "Use --port with serve.");
  }

  private Finding models() {
    try {
      ModelShelf shelf = ModelShelf.scan(config.models());
      shelf.choose(config.model());
      return Finding.ok(
          "models",
          String.join(
              ", ",
              shelf.models().stream()
                  .map(m -> m.card().name() + " (" + ModelShelf.megabytes(m.bytes()) + ")")
                  .toList()));
    } catch (NodeException e) {
      return Finding.missing(
          "models", e.getMessage(), "Put a model folder there, or use --models.");
    }
  }

  private static Finding device(String name, String what) {
    try (Device device = Devices.open(name, DeviceOptions.defaults())) {
      return Finding.ok(what, device.description());
    } catch (SamplerException e) {
      return Finding.note(
          what, e.getMessage(), "The reference device (--device reference) works, very slowly.");
    }
  }

  private List<Finding> gpu() {
    List<Finding> found = new ArrayList<>();
    Path driver = Path.of("/proc/driver/nvidia/version");
    if (!Files.isReadable(driver)) {
      found.add(
          Finding.note(
              "gpu",
              "no NVIDIA driver",
              "Pictures are made on the CPU. With an NVIDIA card: install its driver."));
      return found;
    }
    try {
      found.add(Finding.ok("gpu", Files.readAllLines(driver).getFirst()));
    } catch (IOException e) {
      found.add(Finding.note("gpu", e.toString(), "The driver does not answer."));
    }
    found.add(library("cuda driver", "libcuda.so.1", "Install the NVIDIA driver's user part."));
    CudaReport report = CudaReport.examine();
    for (CudaReport.Part part : report.parts()) {
      found.add(
          part.file()
              .map(file -> Finding.ok(part.name(), file.toString()))
              .orElseGet(
                  () -> Finding.note(part.name(), part.library() + " not found", part.without())));
    }
    report.gpus().forEach(gpu -> found.add(Finding.ok("gpu", gpu)));
    Finding cuda = device("cuda", "cuda device");
    found.add(
        cuda.verdict() == Finding.Verdict.OK
            ? cuda
            : Finding.note(
                "cuda device", cuda.found(), "Pictures are made on the CPU until then."));
    return found;
  }

  private Finding library(String what, String name, String advice) {
    return libraries
        .find(name)
        .map(path -> Finding.ok(what, path.toString()))
        .orElseGet(() -> Finding.note(what, name + " not found", advice));
  }

  private static Finding vips() {
    return switch (VipsLibrary.load(Optional.empty())) {
      case VipsLibrary.Ready(String version, Path file) ->
          Finding.ok("libvips", version + " (" + file + ")");
      case VipsLibrary.Unavailable(String reason) ->
          Finding.note(
              "libvips", reason, "Pictures are made all the same; the edge serves only the PNG.");
    };
  }
}

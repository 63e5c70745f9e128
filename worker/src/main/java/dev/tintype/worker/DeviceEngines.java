package dev.tintype.worker;

import com.sun.management.OperatingSystemMXBean;
import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.pipeline.ModelWeights;
import dev.tintype.sampler.pipeline.TextCacheCounts;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.PipelineEngine;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads model folders onto one device, as many as its memory's budget holds. The device is opened
 * with the first model, on the thread that asks for it, and everything stays on that thread.
 */
public final class DeviceEngines implements EngineLoader {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceEngines.class);

  /** Part of a device's memory that weights may take by default; the rest is to work with. */
  private static final double WEIGHTS_PART_OF_DEVICE = 0.75;

  /** Part of the machine's memory that they may take by default where the device has no limit. */
  private static final double WEIGHTS_PART_OF_MACHINE = 0.5;

  private final String deviceName;
  private final DeviceOptions options;
  private final Map<String, Path> folders;
  private final OptionalLong budgetBytes;
  private final Map<String, Long> weightBytes = new HashMap<>();
  private final Map<String, Engine> engines = new HashMap<>();
  private Device device;
  private volatile ResidentModels resident = new ResidentModels(0, System::nanoTime);
  private volatile Set<String> residentNames = Set.of();
  private volatile Texts texts = new Texts(new TextCacheCounts(0, 0), List.of());

  /**
   * One value, so that the sum over both never falls.
   *
   * @param gone of engines that had to make room
   */
  private record Texts(TextCacheCounts gone, List<Engine> here) {}

  private volatile Memory memory = Memory.UNKNOWN;

  /**
   * @param deviceName as {@link Devices#open} knows it
   * @param folders by the names that jobs ask for
   * @param budgetBytes for the weights of all models that are loaded at a time; empty: three
   *     quarters of the device's memory, or half of the machine's, and no limit for a single model
   */
  public DeviceEngines(
      String deviceName,
      DeviceOptions options,
      Map<String, Path> folders,
      OptionalLong budgetBytes) {
    this.deviceName = deviceName;
    this.options = options;
    this.folders = Map.copyOf(folders);
    this.budgetBytes = budgetBytes;
  }

  @Override
  public Set<String> models() {
    return folders.keySet();
  }

  @Override
  public Optional<Engine> engine(String model, Set<String> busy) {
    Path folder = folders.get(model);
    if (folder == null) {
      throw new WorkerException.Unsuitable(
          "worker.model", "This worker does not have the model " + model + ".");
    }
    if (device == null) {
      device = Devices.open(deviceName, options);
      resident = new ResidentModels(budgetBytes.orElseGet(this::usualBudget), System::nanoTime);
    }
    Engine known = engines.get(model);
    return known != null ? Optional.of(known) : load(model, folder, busy);
  }

  private long usualBudget() {
    if (folders.size() == 1) {
      return Long.MAX_VALUE;
    }
    return (long)
        (device.bytesMax() == Long.MAX_VALUE
            ? machineBytes() * WEIGHTS_PART_OF_MACHINE
            : device.bytesMax() * WEIGHTS_PART_OF_DEVICE);
  }

  private Optional<Engine> load(String model, Path folder, Set<String> busy) {
    // Files are read once: while a model waits for room this is asked at every step.
    long bytes = weightBytes.computeIfAbsent(model, name -> ModelWeights.bytes(folder, device));
    return switch (resident.plan(bytes, busy)) {
      case ResidentModels.Plan.Wait() -> Optional.empty();
      case ResidentModels.Plan.Never() ->
          throw new WorkerException.Unsuitable(
              "worker.model_too_large",
              "The model %s has %,d bytes of weights here, and %,d are allowed for all models: raise worker.memory_mb, or paint it with another worker."
                  .formatted(model, bytes, resident.budgetBytes()));
      case ResidentModels.Plan.Load(List<String> evict) -> {
        evict.forEach(this::evict);
        yield load(model, folder, bytes, busy);
      }
    };
  }

  /** The estimate knows weights alone: where the device has no room after all, more has to go. */
  private Optional<Engine> load(String model, Path folder, long bytes, Set<String> busy) {
    try {
      return Optional.of(loadNow(model, folder, bytes));
    } catch (SamplerException e) {
      List<String> idle = resident.idle(busy);
      boolean full = e.code().equals(DeviceException.OUT_OF_MEMORY);
      if (full && !idle.isEmpty()) {
        idle.forEach(this::evict);
        return Optional.of(loadNow(model, folder, bytes));
      }
      if (full && !engines.isEmpty()) {
        return Optional.empty(); // They are busy; there will be room when their jobs have ended.
      }
      throw e;
    }
  }

  private Engine loadNow(String model, Path folder, long bytes) {
    long began = System.nanoTime();
    Engine engine = PipelineEngine.load(model, folder, device);
    long took = System.nanoTime() - began;
    engines.put(model, engine);
    texts = new Texts(texts.gone(), List.copyOf(engines.values()));
    resident.loaded(model, bytes, took);
    look();
    LOG.info("Model {} is loaded, {} bytes of weights in {} ms", model, bytes, took / 1_000_000);
    return engine;
  }

  private void evict(String model) {
    Engine engine = engines.remove(model);
    resident.evicted(model);
    texts = new Texts(sum(texts.gone(), engine.textCache()), List.copyOf(engines.values()));
    look();
    engine.close();
    LOG.info("Model {} had to make room", model);
  }

  private void look() {
    residentNames = Set.copyOf(engines.keySet());
    long total = Math.min(device.bytesMax(), machineBytes());
    memory = new Memory(total, Math.max(0, total - device.bytesHeld()));
  }

  /**
   * How often a prompt's text was encoded already, over all models since the start. From any
   * thread.
   */
  public TextCacheCounts textCache() {
    Texts now = texts;
    return now.here().stream().map(Engine::textCache).reduce(now.gone(), DeviceEngines::sum);
  }

  private static TextCacheCounts sum(TextCacheCounts one, TextCacheCounts other) {
    return new TextCacheCounts(one.hits() + other.hits(), one.misses() + other.misses());
  }

  /** What a device without a limit of its own can take at most. */
  private static long machineBytes() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean machine
        ? machine.getTotalMemorySize()
        : Long.MAX_VALUE;
  }

  @Override
  public Set<String> resident() {
    return residentNames;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public void used(String model) {
    resident.used(model);
  }

  @Override
  public void close() {
    engines.values().forEach(Engine::close);
    engines.clear();
    if (device != null) {
      device.close();
      device = null;
    }
  }
}

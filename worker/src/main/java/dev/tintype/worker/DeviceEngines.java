package dev.tintype.worker;

import com.sun.management.OperatingSystemMXBean;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.PipelineEngine;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Loads model folders onto one device. The device is opened with the first model, on the thread
 * that asks for it, and everything stays on that thread.
 */
public final class DeviceEngines implements EngineLoader {
  private final String deviceName;
  private final DeviceOptions options;
  private final Map<String, Path> folders;
  private final Map<String, Engine> resident = new HashMap<>();
  private Device device;
  private volatile Set<String> residentNames = Set.of();
  private volatile Memory memory = Memory.UNKNOWN;

  /**
   * @param deviceName as {@link Devices#open} knows it
   * @param folders by the names that jobs ask for
   */
  public DeviceEngines(String deviceName, DeviceOptions options, Map<String, Path> folders) {
    this.deviceName = deviceName;
    this.options = options;
    this.folders = Map.copyOf(folders);
  }

  @Override
  public Set<String> models() {
    return folders.keySet();
  }

  @Override
  public Engine engine(String model) {
    Path folder = folders.get(model);
    if (folder == null) {
      throw new WorkerException.Unsuitable(
          "worker.model", "This worker does not have the model " + model + ".");
    }
    if (device == null) {
      device = Devices.open(deviceName, options);
    }
    Engine engine =
        resident.computeIfAbsent(model, name -> PipelineEngine.load(name, folder, device));
    residentNames = Set.copyOf(resident.keySet());
    long total = Math.min(device.bytesMax(), machineBytes());
    memory = new Memory(total, Math.max(0, total - device.bytesHeld()));
    return engine;
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
  public void close() {
    resident.values().forEach(Engine::close);
    resident.clear();
    if (device != null) {
      device.close();
      device = null;
    }
  }
}

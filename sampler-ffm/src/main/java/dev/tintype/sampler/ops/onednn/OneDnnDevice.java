package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.bindings.dnnl.dnnl_version_t;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.ProfiledOps;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;

/** The CPU through oneDNN. */
public final class OneDnnDevice implements Device {
  /** Bound of the workspace when none is given: this share of the machine's memory. */
  private static final double WORKSPACE_SHARE_MAX = 0.5;

  private static final long WORKSPACE_BYTES_FALLBACK = 8L << 30;

  private final OpenMpTeam team;
  private final Workspace workspace;
  private final Engine engine;
  private final Ops ops;
  private boolean closed;

  private OneDnnDevice(DeviceOptions options, int primitivesMax) {
    team = new OpenMpTeam(options.effectiveThreads());
    workspace = new Workspace(workspaceBytesMax(options));
    engine = new Engine(team, workspace, bf16(options), primitivesMax);
    OneDnnOps plain = new OneDnnOps(engine);
    ops = options.profile() ? new ProfiledOps(plain) : plain;
  }

  /**
   * Loads oneDNN when it is first needed.
   *
   * @throws DeviceException {@code device.unavailable} with the reason
   */
  public static OneDnnDevice open(DeviceOptions options) {
    return open(options, Engine.PRIMITIVES_MAX);
  }

  static OneDnnDevice open(DeviceOptions options, int primitivesMax) {
    OneDnnLibrary.load();
    return new OneDnnDevice(options, primitivesMax);
  }

  private static boolean bf16(DeviceOptions options) {
    return switch (options.precision()) {
      case DEFAULT, FP32 -> false;
      case BF16 -> {
        if (!Isa.current().bf16()) {
          throw new DeviceException(
              DeviceException.UNAVAILABLE,
              "this processor (" + Isa.current().text() + ") has no bf16 arithmetic; use fp32");
        }
        yield true;
      }
      case FP16 ->
          throw new DeviceException(
              DeviceException.UNAVAILABLE, "the CPU device computes in fp32 or bf16, not fp16");
    };
  }

  private static long workspaceBytesMax(DeviceOptions options) {
    if (options.workspaceBytesMax() > 0) {
      return options.workspaceBytesMax();
    }
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? (long) (system.getTotalMemorySize() * WORKSPACE_SHARE_MAX)
        : WORKSPACE_BYTES_FALLBACK;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    MemorySegment version = Dnnl.dnnl_version().reinterpret(dnnl_version_t.sizeof());
    return "CPU, %s, oneDNN %d.%d.%d, %d threads, %s"
        .formatted(
            Isa.current().text(),
            dnnl_version_t.major(version),
            dnnl_version_t.minor(version),
            dnnl_version_t.patch(version),
            team.threads(),
            engine.bf16() ? "bf16" : "fp32");
  }

  @Override
  public Ops ops() {
    return ops;
  }

  @Override
  public int samplesPerCall() {
    return 1;
  }

  @Override
  public long bytesHeld() {
    return workspace.bytesHeld() + engine.weightBytes();
  }

  long workspaceBytesInUse() {
    return workspace.bytesInUse();
  }

  /** The most workspace that was in use at one time, in bytes. */
  public long workspaceBytesPeak() {
    return workspace.bytesPeak();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      engine.close();
      workspace.close();
      team.close();
    }
  }
}

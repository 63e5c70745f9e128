package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** oneDNN's CPU engine and stream, with what all primitives of a device share. */
final class Engine implements AutoCloseable {
  /**
   * Most primitives kept. A UNet has some 60 different layers, a VAE 30, per picture size; a
   * primitive is a few ten kB of generated code.
   */
  static final int PRIMITIVES_MAX = 2048;

  private final MemorySegment engine;
  private final MemorySegment stream;
  private final boolean bf16;
  private final Workspace workspace;
  private final OpenMpTeam team;
  private final AtomicLong weightBytes = new AtomicLong();
  private final PrimitiveCache primitives;

  Engine(OpenMpTeam team, Workspace workspace, boolean bf16, int primitivesMax) {
    this.team = team;
    this.workspace = workspace;
    this.bf16 = bf16;
    primitives = new PrimitiveCache(primitivesMax);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(Dnnl.dnnl_engine_create(out, Dnnl.dnnl_cpu(), 0), "engine_create");
      engine = out.get(ValueLayout.ADDRESS, 0);
      check(
          Dnnl.dnnl_stream_create(out, engine, Dnnl.dnnl_stream_default_flags()), "stream_create");
      stream = out.get(ValueLayout.ADDRESS, 0);
    }
    // Ours is keyed by shape and bounded; oneDNN's own would keep what we evict.
    check(Dnnl.dnnl_set_primitive_cache_capacity(0), "set_primitive_cache_capacity");
  }

  MemorySegment handle() {
    return engine;
  }

  MemorySegment stream() {
    return stream;
  }

  boolean bf16() {
    return bf16;
  }

  Workspace workspace() {
    return workspace;
  }

  OpenMpTeam team() {
    return team;
  }

  /** Bytes of prepared weights, for the account of the device. */
  long weightBytes() {
    return weightBytes.get();
  }

  void countWeights(long bytes) {
    weightBytes.addAndGet(bytes);
  }

  /** The cached primitive of that key, made when it is first asked for. */
  Primitive primitive(Object key, Supplier<Primitive> make) {
    OpenMpTeam.setThreads(team.threads());
    return primitives.get(key, make);
  }

  /** As {@link #primitive}, for primitives that are called from tasks: made for one thread. */
  Primitive taskPrimitive(Object key, Supplier<Primitive> make) {
    OpenMpTeam.setThreads(1);
    try {
      return primitives.get(key, make);
    } finally {
      OpenMpTeam.setThreads(team.threads());
    }
  }

  /**
   * @throws DeviceException {@code device.failed} with the name of the call and oneDNN's status
   */
  static void check(int status, String call) {
    if (status != Dnnl.dnnl_success()) {
      throw new DeviceException(
          status == Dnnl.dnnl_out_of_memory()
              ? DeviceException.OUT_OF_MEMORY
              : DeviceException.FAILED,
          "dnnl_" + call + " failed: " + text(status) + "; DNNL_VERBOSE=all shows why");
    }
  }

  private static String text(int status) {
    if (status == Dnnl.dnnl_invalid_arguments()) {
      return "invalid arguments";
    }
    if (status == Dnnl.dnnl_unimplemented()) {
      return "not implemented for these shapes";
    }
    return "status " + status;
  }

  @Override
  public void close() {
    primitives.close();
    Dnnl.dnnl_stream_destroy(stream);
    Dnnl.dnnl_engine_destroy(engine);
  }
}

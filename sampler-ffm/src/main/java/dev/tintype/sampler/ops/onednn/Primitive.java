package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.bindings.dnnl.dnnl_exec_arg_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One oneDNN primitive with the memory objects of its arguments, which are pointed to the data at
 * each execution. Scratch memory comes from the workspace, for the time of the call.
 *
 * <p>A primitive either uses the whole team, or one thread and is called from the tasks of a
 * parallel loop; then it has a set of memory objects per lane.
 */
final class Primitive implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Engine engine;
  private final MemorySegment description;
  private final MemorySegment primitive;
  private final boolean serial;
  private final Lane[] lanes;
  private final int argumentCount;
  private final long scratchBytes;

  /** Memory objects, and the array of arguments that refers to them. */
  private record Lane(MemorySegment[] memories, MemorySegment arguments) {}

  /**
   * Takes {@code description} over.
   *
   * @param arguments DNNL_ARG_ numbers in the order in which {@link #execute} gets their data
   */
  Primitive(Engine engine, MemorySegment description, int... arguments) {
    this(engine, false, description, arguments);
  }

  /**
   * As the other.
   *
   * @param serial it was described for one thread, and is called from any lane
   */
  Primitive(Engine engine, boolean serial, MemorySegment description, int... arguments) {
    this.engine = engine;
    this.serial = serial;
    int laneCount = serial ? engine.team().threads() : 1;
    this.description = description;
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(Dnnl.dnnl_primitive_create(out, description), "primitive_create");
    primitive = out.get(ValueLayout.ADDRESS, 0);
    MemorySegment scratch =
        Dnnl.dnnl_primitive_desc_query_md(description, Dnnl.dnnl_query_scratchpad_md(), 0);
    scratchBytes = scratch.address() == 0 ? 0 : Dnnl.dnnl_memory_desc_get_size(scratch);
    argumentCount = arguments.length + (scratchBytes > 0 ? 1 : 0);
    lanes = new Lane[laneCount];
    for (int i = 0; i < laneCount; i++) {
      lanes[i] = lane(arguments, scratch, out);
    }
  }

  private Lane lane(int[] arguments, MemorySegment scratch, MemorySegment out) {
    MemorySegment[] memories = new MemorySegment[argumentCount];
    MemorySegment structs = dnnl_exec_arg_t.allocateArray(argumentCount, arena);
    for (int i = 0; i < argumentCount; i++) {
      boolean last = i == arguments.length;
      int argument = last ? Dnnl.DNNL_ARG_SCRATCHPAD() : arguments[i];
      MemorySegment descriptor = last ? scratch : descriptor(argument);
      check(
          Dnnl.dnnl_memory_create(out, descriptor, engine.handle(), MemorySegment.NULL),
          "memory_create");
      memories[i] = out.get(ValueLayout.ADDRESS, 0);
      MemorySegment struct = dnnl_exec_arg_t.asSlice(structs, i);
      dnnl_exec_arg_t.arg(struct, argument);
      dnnl_exec_arg_t.memory(struct, memories[i]);
    }
    return new Lane(memories, structs);
  }

  /** Layout of an argument as the primitive wants it; valid until close. */
  MemorySegment descriptor(int argument) {
    return Dnnl.dnnl_primitive_desc_query_md(description, Dnnl.dnnl_query_exec_arg_md(), argument);
  }

  /** oneDNN's name of the implementation it chose. */
  String implementation() {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ValueLayout.ADDRESS);
      check(
          Dnnl.dnnl_primitive_desc_query(description, Dnnl.dnnl_query_impl_info_str(), 0, out),
          "primitive_desc_query");
      return out.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
    }
  }

  /** Whether it was made for one thread. */
  boolean serial() {
    return serial;
  }

  /**
   * Runs to the end on the team. The data are given in the order of the constructor's arguments.
   */
  void execute(MemorySegment... data) {
    OpenMpTeam.setThreads(serial ? 1 : engine.team().threads());
    executeOn(0, data);
  }

  /** As {@link #execute}, on the threads that are set: from a task of that lane, its own only. */
  void executeOn(int lane, MemorySegment... data) {
    MemorySegment[] memories = lanes[lane].memories();
    MemorySegment scratch = scratchBytes > 0 ? engine.workspace().acquire(scratchBytes) : null;
    try {
      for (int i = 0; i < data.length; i++) {
        point(memories[i], data[i]);
      }
      if (scratch != null) {
        point(memories[data.length], scratch);
      }
      check(
          Dnnl.dnnl_primitive_execute(
              primitive, engine.stream(), argumentCount, lanes[lane].arguments()),
          "primitive_execute");
    } finally {
      if (scratch != null) {
        engine.workspace().release(scratch);
      }
    }
  }

  private static void point(MemorySegment memory, MemorySegment data) {
    check(Dnnl.dnnl_memory_set_data_handle(memory, data), "memory_set_data_handle");
  }

  @Override
  public void close() {
    for (Lane lane : lanes) {
      for (MemorySegment memory : lane.memories()) {
        Dnnl.dnnl_memory_destroy(memory);
      }
    }
    Dnnl.dnnl_primitive_destroy(primitive);
    Dnnl.dnnl_primitive_desc_destroy(description);
    arena.close();
  }
}

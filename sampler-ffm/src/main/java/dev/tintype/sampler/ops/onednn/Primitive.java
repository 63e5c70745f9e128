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
 */
final class Primitive implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Engine engine;
  private final MemorySegment description;
  private final MemorySegment primitive;
  private final MemorySegment[] memories;
  private final MemorySegment arguments;
  private final int argumentCount;
  private final long scratchBytes;

  /**
   * Takes {@code description} over.
   *
   * @param arguments DNNL_ARG_ numbers in the order in which {@link #execute} gets their data
   */
  Primitive(Engine engine, MemorySegment description, int... arguments) {
    this.engine = engine;
    this.description = description;
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(Dnnl.dnnl_primitive_create(out, description), "primitive_create");
    primitive = out.get(ValueLayout.ADDRESS, 0);
    MemorySegment scratch =
        Dnnl.dnnl_primitive_desc_query_md(description, Dnnl.dnnl_query_scratchpad_md(), 0);
    scratchBytes = scratch.address() == 0 ? 0 : Dnnl.dnnl_memory_desc_get_size(scratch);
    argumentCount = arguments.length + (scratchBytes > 0 ? 1 : 0);
    memories = new MemorySegment[argumentCount];
    this.arguments = dnnl_exec_arg_t.allocateArray(argumentCount, arena);
    for (int i = 0; i < arguments.length; i++) {
      bind(i, arguments[i], descriptor(arguments[i]), out);
    }
    if (scratchBytes > 0) {
      bind(arguments.length, Dnnl.DNNL_ARG_SCRATCHPAD(), scratch, out);
    }
  }

  private void bind(int index, int argument, MemorySegment descriptor, MemorySegment out) {
    check(
        Dnnl.dnnl_memory_create(out, descriptor, engine.handle(), MemorySegment.NULL),
        "memory_create");
    memories[index] = out.get(ValueLayout.ADDRESS, 0);
    MemorySegment struct = dnnl_exec_arg_t.asSlice(arguments, index);
    dnnl_exec_arg_t.arg(struct, argument);
    dnnl_exec_arg_t.memory(struct, memories[index]);
  }

  /** Layout of an argument as the primitive wants it; valid until close. */
  MemorySegment descriptor(int argument) {
    return Dnnl.dnnl_primitive_desc_query_md(description, Dnnl.dnnl_query_exec_arg_md(), argument);
  }

  /** oneDNN's name of the implementation it chose. */
  String implementation() {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(
        Dnnl.dnnl_primitive_desc_query(description, Dnnl.dnnl_query_impl_info_str(), 0, out),
        "primitive_desc_query");
    return out.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** Runs to the end. The data are given in the order of the constructor's arguments. */
  void execute(MemorySegment... data) {
    MemorySegment scratch = scratchBytes > 0 ? engine.workspace().acquire(scratchBytes) : null;
    try {
      for (int i = 0; i < data.length; i++) {
        point(memories[i], data[i]);
      }
      if (scratch != null) {
        point(memories[data.length], scratch);
      }
      OpenMpTeam.setThreads(engine.team().threads());
      check(
          Dnnl.dnnl_primitive_execute(primitive, engine.stream(), argumentCount, arguments),
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
    for (MemorySegment memory : memories) {
      Dnnl.dnnl_memory_destroy(memory);
    }
    Dnnl.dnnl_primitive_destroy(primitive);
    Dnnl.dnnl_primitive_desc_destroy(description);
    arena.close();
  }
}

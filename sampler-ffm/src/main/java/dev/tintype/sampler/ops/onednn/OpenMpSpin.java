package dev.tintype.sampler.ops.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * How long OpenMP's threads spin before they sleep. The library's own default, about 300,000
 * rounds, assumes that nobody else wants the processors: a thread that spins for a partner which is
 * not running uses up its own time slice. Measured on 2 cores shared with six other busy processes,
 * a step of tintype-mini took 7.8 s with the default and 0.1 s with this.
 */
final class OpenMpSpin {
  /** Rounds of a pause instruction: about 20 microseconds, the gap between two verbs. */
  private static final String ROUNDS = "500";

  private static final String VARIABLE = "GOMP_SPINCOUNT";

  private OpenMpSpin() {}

  /**
   * To be called before libgomp is loaded, which reads its environment once. What the user has set
   * stays.
   */
  static void limit() {
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    if (System.getenv("OMP_WAIT_POLICY") != null) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      int ignored =
          (int) setenv.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(ROUNDS), 0);
    } catch (Throwable e) {
      throw new AssertionError("setenv takes these arguments", e);
    }
  }
}

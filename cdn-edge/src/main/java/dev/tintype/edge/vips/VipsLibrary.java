package dev.tintype.edge.vips;

import dev.tintype.edge.bindings.vips.Vips;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds libvips, loads it once per process and sets it up for untrusted input. Looks at, in this
 * order: the file that is named by the configuration or by the system property {@value #PROPERTY};
 * the library packed in this jar; the system's libvips.so.42. A file that is named and cannot be
 * loaded is an error; the search does not go on behind the operator's back.
 */
public final class VipsLibrary {
  /** System property that names the file to load. */
  public static final String PROPERTY = "tintype.vips.library";

  /** {@code keep} of the savers, with which metadata is kept or dropped, came with 8.15. */
  private static final int MINOR_MIN = 15;

  private static final Logger LOG = LoggerFactory.getLogger(VipsLibrary.class);
  private static final String INSTALL =
      "Build once with npm on the PATH, or install libvips 8.15 or newer (Debian, Ubuntu: apt-get"
          + " install libvips42), or name the file with -D"
          + PROPERTY
          + "=/path/to/libvips.so.42.";

  private static Status loaded;

  private VipsLibrary() {}

  /** Whether there is a libvips, and if not, why. */
  public sealed interface Status {}

  /**
   * libvips is loaded.
   *
   * @param version such as 8.18.7
   * @param file the file that was loaded
   */
  public record Ready(String version, Path file) implements Status {}

  /**
   * There is no usable libvips.
   *
   * @param reason what was tried, why each failed, and what to install
   */
  public record Unavailable(String reason) implements Status {}

  /**
   * Loads libvips, once per process: later calls get the first one's answer, since a library cannot
   * be taken out again.
   *
   * @param named the file that the configuration names
   */
  public static synchronized Status load(Optional<Path> named) {
    if (loaded == null) {
      loaded =
          search(named.or(() -> Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of)));
      switch (loaded) {
        case Ready(String version, Path file) -> LOG.info("libvips {} from {}", version, file);
        case Unavailable(String reason) -> LOG.warn("{}", reason);
      }
    }
    return loaded;
  }

  /** For a thread that used libvips and ends: gives its buffers back. */
  public static void endThread() {
    Vips.vips_thread_shutdown();
  }

  private static Status search(Optional<Path> named) {
    List<String> failures = new ArrayList<>();
    if (named.isPresent()) {
      Path file = named.get().toAbsolutePath();
      return tryFile(file, failures).orElseGet(() -> unavailable(failures));
    }
    try {
      Optional<Status> packed = PackedLibrary.unpack().flatMap(file -> tryFile(file, failures));
      if (packed.isPresent()) {
        return packed.get();
      }
      if (failures.isEmpty()) {
        failures.add("this build carries no libvips for " + PackedLibrary.PLATFORM);
      }
    } catch (IOException e) {
      failures.add("the packed libvips could not be unpacked (" + e.getMessage() + ")");
    }
    List<Path> system = SystemLibraries.find();
    if (system.isEmpty()) {
      failures.add("the system has no " + SystemLibraries.NAME);
    }
    return system.stream()
        .flatMap(file -> tryFile(file, failures).stream())
        .findFirst()
        .orElseGet(() -> unavailable(failures));
  }

  private static Status unavailable(List<String> failures) {
    return new Unavailable(
        "libvips is not available: " + String.join("; ", failures) + ". " + INSTALL);
  }

  private static Optional<Status> tryFile(Path file, List<String> failures) {
    try {
      System.load(file.toString());
      return Optional.of(start(file));
    } catch (UnsatisfiedLinkError e) {
      failures.add(file + " cannot be loaded (" + e.getMessage() + ")");
    } catch (StartFailure e) {
      failures.add(file + ": " + e.getMessage());
    }
    return Optional.empty();
  }

  private static Status start(Path file) {
    try (Arena arena = Arena.ofConfined()) {
      muteWarnings(arena);
      if (Vips.vips_init(arena.allocateFrom("tintype")) != 0) {
        throw new StartFailure("vips_init failed: " + VipsErrors.take());
      }
      if (Vips.vips_version(0) != 8 || Vips.vips_version(1) < MINOR_MIN) {
        throw new StartFailure("is libvips " + version() + ", too old");
      }
      // Everything that loads is shut, then the four formats of the edge are opened again: no SVG,
      // PDF, TIFF, ImageMagick.
      Vips.vips_operation_block_set(arena.allocateFrom("VipsForeignLoad"), 1);
      for (String loader :
          List.of(
              "VipsForeignLoadPng",
              "VipsForeignLoadJpeg",
              "VipsForeignLoadWebp",
              "VipsForeignLoadHeif")) {
        Vips.vips_operation_block_set(arena.allocateFrom(loader), 0);
      }
    }
    // libvips' operation cache would keep pictures, and pointers into buffers of ours, beyond the
    // call that made them.
    Vips.vips_cache_set_max(0);
    return new Ready(version(), file);
  }

  /**
   * libvips prints a line on stderr for every damaged picture unless this variable is set when it
   * starts; hostile uploads would flood the log. What went wrong is in its error text all the same,
   * which goes to our own log.
   */
  private static void muteWarnings(Arena arena) {
    Linker linker = Linker.nativeLinker();
    MethodHandle setenv =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setenv"),
            FunctionDescriptor.of(Vips.C_INT, Vips.C_POINTER, Vips.C_POINTER, Vips.C_INT));
    try {
      int unused =
          (int) setenv.invokeExact(arena.allocateFrom("VIPS_WARNING"), arena.allocateFrom("0"), 0);
    } catch (Throwable e) {
      throw new IllegalStateException("setenv", e);
    }
  }

  private static String version() {
    return Vips.vips_version(0) + "." + Vips.vips_version(1) + "." + Vips.vips_version(2);
  }

  /** A library that loads but cannot be used. */
  private static final class StartFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StartFailure(String message) {
      super(message, null, false, false);
    }
  }
}

package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.bindings.dnnl.dnnl_version_t;
import dev.tintype.sampler.device.CacheFolder;
import dev.tintype.sampler.device.DeviceException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * Finds and loads libdnnl.so.3 and the OpenMP library it needs. They come with the jar {@code
 * org.bytedeco:dnnl} and are unpacked once to {@code CACHE/onednn-CHECKSUM}; {@code
 * -Dtintype.onednn=FOLDER} or TINTYPE_ONEDNN names a folder to load them from instead.
 */
final class OneDnnLibrary {
  private static final String RESOURCES = "/org/bytedeco/dnnl/linux-x86_64/";
  private static final String OPEN_MP = "libgomp.so.1";
  private static final String ONE_DNN = "libdnnl.so.3";
  private static final int MAJOR_NEEDED = 3;

  private static boolean loaded;

  private OneDnnLibrary() {}

  /**
   * Loads the libraries into this process, once.
   *
   * @throws DeviceException {@code device.unavailable}: why, and what to do
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!platform.equals("Linux amd64")) {
      throw unavailable("the CPU device needs Linux on x86-64, this is " + platform, null);
    }
    Path folder =
        setting("tintype.onednn", "TINTYPE_ONEDNN").map(Path::of).orElseGet(() -> unpack());
    OpenMpSpin.limit();
    loadFile(folder.resolve(OPEN_MP));
    loadFile(folder.resolve(ONE_DNN));
    int major = dnnl_version_t.major(Dnnl.dnnl_version().reinterpret(dnnl_version_t.sizeof()));
    if (major != MAJOR_NEEDED) {
      throw unavailable(folder.resolve(ONE_DNN) + " is oneDNN " + major + ", 3 is needed", null);
    }
    loaded = true;
  }

  private static void loadFile(Path file) {
    if (!Files.isReadable(file)) {
      throw unavailable(
          file
              + " is missing; point TINTYPE_ONEDNN to a folder with "
              + ONE_DNN
              + " and "
              + OPEN_MP,
          null);
    }
    try {
      System.load(file.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw unavailable(file + " cannot be loaded: " + e.getMessage(), e);
    }
  }

  private static Path unpack() {
    URL resource = OneDnnLibrary.class.getResource(RESOURCES + ONE_DNN);
    if (resource == null) {
      throw unavailable(
          "oneDNN is not on the class path; add org.bytedeco:dnnl with classifier linux-x86_64",
          null);
    }
    Path cache = CacheFolder.find();
    try {
      URLConnection connection = resource.openConnection();
      if (!(connection instanceof JarURLConnection jar)) {
        return Path.of(resource.getPath()).getParent();
      }
      long checksum = jar.getJarEntry().getCrc();
      Path folder = cache.resolve(String.format(Locale.ROOT, "onednn-%08x", checksum));
      Files.createDirectories(folder);
      for (String name : new String[] {OPEN_MP, ONE_DNN}) {
        unpackFile(name, folder.resolve(name));
      }
      return folder;
    } catch (IOException e) {
      throw unavailable(
          "oneDNN cannot be unpacked to "
              + cache
              + " ("
              + e
              + "); set TINTYPE_CACHE to a folder"
              + " that can be written and has 100 MB free",
          e);
    }
  }

  /** Written beside its place and moved there, so that no process ever loads half a file. */
  private static void unpackFile(String name, Path target) throws IOException {
    var entry =
        ((JarURLConnection) OneDnnLibrary.class.getResource(RESOURCES + name).openConnection())
            .getJarEntry();
    if (Files.exists(target) && Files.size(target) == entry.getSize()) {
      return;
    }
    Path part = Files.createTempFile(target.getParent(), name, ".part");
    try (InputStream raw = OneDnnLibrary.class.getResourceAsStream(RESOURCES + name);
        CheckedInputStream in = new CheckedInputStream(raw, new CRC32())) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      if (in.getChecksum().getValue() != entry.getCrc()) {
        throw new IOException(name + " is damaged in its jar");
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static Optional<String> setting(String property, String variable) {
    return Optional.ofNullable(System.getProperty(property, System.getenv(variable)))
        .filter(value -> !value.isBlank());
  }

  private static DeviceException unavailable(String why, Throwable cause) {
    return new DeviceException(DeviceException.UNAVAILABLE, why, cause);
  }
}

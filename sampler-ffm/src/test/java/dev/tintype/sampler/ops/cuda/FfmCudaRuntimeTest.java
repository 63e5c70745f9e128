package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bindings themselves, and all that finds and loads the libraries: a process of its own ({@link
 * EmulatedGpu}) on an emulated libcudart. The stream of that one does its work only when it is
 * waited for, so what is freed, reused or read too early shows in the bits.
 */
@Tag("slow")
class FfmCudaRuntimeTest {
  private static final Path FOLDER = Path.of("../sampler-native/target/native/gpu");
  private static final int MINUTES_MAX = 3;

  @TempDir Path cache;

  private List<String> run() throws Exception {
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules=jdk.incubator.vector",
            "-Dtintype.cuda.own=true",
            "-Dtintype.cache=" + cache,
            "-Dtintype.cuda.path=" + FOLDER.toAbsolutePath(),
            "-cp",
            System.getProperty("java.class.path"),
            EmulatedGpu.class.getName()));
    Path out = cache.resolve("out.txt");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      assertThat(process.waitFor(MINUTES_MAX, TimeUnit.MINUTES)).as("it ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(out);
    assertThat(process.exitValue()).as(String.join("\n", lines)).isZero();
    return lines;
  }

  @Test
  void aPictureIsTheOneOfTheFakeRuntimeBitForBit() throws Exception {
    assumeTrue(Files.exists(FOLDER.resolve(CudaLibraries.RUNTIME)), "no g++: not built");
    assumeTrue(Kernels.arePresent(), "no nvcc: this build has no kernels");
    List<String> expected = new ArrayList<>();
    try (CudaDevice device =
        CudaDevice.open(
            new EmulatedCudaRuntime(), 0, EmulatedGpu.OPTIONS, EmulatedCudaRuntime.LIBRARIES)) {
      for (String model : EmulatedGpu.NAMES) {
        expected.add("bits: " + EmulatedGpu.pictures(device, model));
      }
    }
    List<String> found = run();
    assertThat(found).containsAll(expected);
    assertThat(found)
        .contains("bytes left: 0", "events left: 0", "graphs left: 0", "end")
        .anySatisfy(
            line ->
                assertThat(line)
                    .startsWith("description: Emulated GPU, compute capability 9.0, 4 multi")
                    .contains("GPU-10111213-1415-1617-1819-1a1b1c1d1e1f"));
    assertThat(found.stream().filter(line -> line.startsWith("fault: device.lost true")))
        .as("told at the next wait, and from then on")
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).contains("cudaErrorIllegalAddress (700"));
  }
}

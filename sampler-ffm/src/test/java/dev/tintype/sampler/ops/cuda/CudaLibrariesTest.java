package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaLibrariesTest {
  @TempDir Path folder;

  @Test
  void theOverrideComesFirstThenHomesThenPython() throws Exception {
    Path pip =
        Files.createDirectories(
            folder.resolve("venv/lib/python3.12/site-packages/nvidia/cudnn/lib"));
    Path bin = Files.createDirectories(folder.resolve("py/bin"));
    Files.createFile(bin.resolve("python3"));
    Path other =
        Files.createDirectories(folder.resolve("py/lib/python3.11/dist-packages/nvidia/cu13/lib"));
    List<Path> folders =
        List.copyOf(
            CudaLibraries.folders(
                Map.of(
                    "TINTYPE_CUDA_PATH", "/first:/second",
                    "CUDA_HOME", "/home",
                    "LD_LIBRARY_PATH", "/ld",
                    "VIRTUAL_ENV", folder.resolve("venv").toString(),
                    "PATH", bin.toString())));
    assertThat(folders)
        .containsSubsequence(
            Path.of("/first"),
            Path.of("/second"),
            Path.of("/home/lib64"),
            Path.of("/ld"),
            Path.of("/usr/local/cuda/lib64"),
            pip,
            other);
  }

  @Test
  void aFileIsFoundInTheFirstFolderThatHasIt() throws Exception {
    Path empty = Files.createDirectory(folder.resolve("a"));
    Path full = Files.createDirectory(folder.resolve("b"));
    Path file = Files.createFile(full.resolve("libtintype-none.so.1"));
    assertThat(CudaLibraries.find("libtintype-none.so.1", Set.of(empty))).isEmpty();
    assertThat(
            CudaLibraries.find("libtintype-none.so.1", new LinkedHashSet<>(List.of(empty, full))))
        .contains(file);
  }

  /** Where the runtime is installed: the bindings resolve, and it tells what is missing. */
  @Test
  void theRealRuntimeAnswers() {
    Optional<Path> runtime =
        CudaLibraries.find(CudaLibraries.RUNTIME, CudaLibraries.folders(System.getenv()));
    assumeTrue(runtime.isPresent(), "libcudart.so.13 is not installed here");
    System.load(runtime.get().toString());
    FfmCudaRuntime real = new FfmCudaRuntime();
    assertThat(real.errorName(2)).isEqualTo("cudaErrorMemoryAllocation");
    assertThat(real.errorText(700)).contains("illegal memory access");
    int[] versions = new int[2];
    real.versions(versions);
    assertThat(versions[1]).isGreaterThanOrEqualTo(13000);
    int[] count = new int[1];
    int code = real.deviceCount(count);
    if (code != 0) {
      assertThat(real.errorName(code)).isIn("cudaErrorInsufficientDriver", "cudaErrorNoDevice");
    }
  }
}

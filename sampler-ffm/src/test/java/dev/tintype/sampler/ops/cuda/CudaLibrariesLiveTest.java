package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.bindings.cublaslt.CublasLt;
import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * NVIDIA's own libraries, where they are installed, as far as they answer without a GPU: every
 * attribute that the plans set is taken, descriptors are finalised, and errors have words.
 */
class CudaLibrariesLiveTest {
  private static Set<String> found = Set.of();

  @BeforeAll
  static void load() {
    boolean installed =
        List.of(CudaLibraries.RUNTIME, CudaLibraries.MATRIX, CudaLibraries.CONVOLUTION).stream()
            .allMatch(
                name ->
                    CudaLibraries.find(name, CudaLibraries.folders(System.getenv())).isPresent());
    assumeTrue(installed, "cudart, cublasLt and cuDNN are not installed here");
    assumeTrue(Kernels.arePresent(), "no nvcc: this build has no kernels");
    found = CudaLibraries.load().files().keySet();
  }

  private static Convolution.Problem problem(Conv2dGeometry geometry, int extent) {
    return new Convolution.Problem(2, 64, 64, 320, extent, extent, 640, geometry);
  }

  /** An H100 as cuDNN describes one to itself; it plans for it without having it. */
  private static final String H100 =
      """
      {"maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
       "deviceVer": 900, "cudaDeviceId": 0, "driverVer": 13000, "totalGlobalMem": 85000000000,
       "regsPerBlock": 65536, "multiProcessorCount": 132, "smCountOrigin": 0, "warpSize": 32,
       "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
       "reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "maxCtasPerSM": 32,
       "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "pciDeviceId": 592478430,
       "isTccDriver": 0, "supportCoopLaunch": 1, "smClockRateKHz": 1980000,
       "memClockRateKHz": 2619000, "l2CacheSize": 52428800, "deviceName": "NVIDIA H100 80GB HBM3"}
      """;

  private static CudnnDescriptor h100() {
    return new CudnnDescriptor(Cudnn.CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR(), "H100")
        .text(Cudnn.CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION(), H100)
        .finish();
  }

  @Test
  void cudnnPlansTheConvolutionsOfAUnetForAnH100() {
    assertThat(found).contains(CudaLibraries.CONVOLUTION);
    assertThat(Cudnn.cudnnGetVersion()).isGreaterThanOrEqualTo(90_000);
    assumeTrue(Cudnn.cudnnGetVersion() >= 92_400, "older ones describe devices differently");
    try (CudnnDescriptor device = h100()) {
      var target = new CudnnGraph.Target(MemorySegment.NULL, Optional.of(device));
      for (DType dtype : List.of(DType.F16, DType.BF16, DType.F32)) {
        for (CudnnFusion fusion :
            List.of(CudnnFusion.NONE, new CudnnFusion(true, false), new CudnnFusion(true, true))) {
          for (Convolution.Problem problem :
              List.of(
                  problem(Conv2dGeometry.square(3, 1, 1), 64),
                  problem(new Conv2dGeometry(3, 3, 2, 0, 0, 1, 1), 32))) {
            List<CudnnPlan> plans = plans(target, problem, dtype, fusion);
            if (dtype != DType.F32) {
              assertThat(plans).as(dtype + " " + problem).isNotEmpty();
            }
            plans.forEach(CudnnPlan::close);
          }
        }
      }
    }
  }

  @Test
  void cudnnPlansPaddedConvolutionsForAnH100() {
    assumeTrue(Cudnn.cudnnGetVersion() >= 92_400, "older ones describe devices differently");
    Convolution.Problem problem = problem(Conv2dGeometry.square(3, 1, 1), 64);
    try (CudnnDescriptor device = h100()) {
      var target = new CudnnGraph.Target(MemorySegment.NULL, Optional.of(device));
      for (DType dtype : List.of(DType.F16, DType.BF16)) {
        for (Convolution.Problem few :
            List.of(problem.withChannels(4, 320), problem.withChannels(320, 4))) {
          Convolution.Problem padded = ChannelPadding.padded(few);
          List<CudnnPlan> plans = plans(target, padded, dtype, CudnnFusion.NONE);
          assertThat(plans).as(dtype + " " + padded).isNotEmpty();
          plans.forEach(CudnnPlan::close);
        }
      }
    }
  }

  private static List<CudnnPlan> plans(
      CudnnGraph.Target target, Convolution.Problem problem, DType dtype, CudnnFusion fusion) {
    try (CudnnGraph graph = graph(target, problem, dtype, fusion)) {
      List<CudnnPlan> plans = graph.plans(CudnnGraph.Mode.A, 2);
      for (CudnnPlan plan : plans) {
        // What is remembered leads back to the same plan.
        try (CudnnPlan again = graph.plan(plan.id()).orElseThrow()) {
          assertThat(again.workspaceBytes()).isEqualTo(plan.workspaceBytes());
        }
      }
      System.out.printf(
          "%s %s %s: %s%n",
          dtype, fusion, problem.geometry(), plans.stream().map(CudnnPlan::id).toList());
      return plans;
    }
  }

  private static CudnnGraph graph(
      CudnnGraph.Target target, Convolution.Problem problem, DType dtype, CudnnFusion fusion) {
    return CudnnGraph.of(
        target,
        dtype,
        problem.toString(),
        owned -> new CudnnOperations(owned, dtype).build(problem, fusion));
  }

  @Test
  void cudnnPlansTheAttentionOfAUnetForAnH100() {
    assumeTrue(Cudnn.cudnnGetVersion() >= 92_400, "older ones describe devices differently");
    try (CudnnDescriptor device = h100()) {
      var target = new CudnnGraph.Target(MemorySegment.NULL, Optional.of(device));
      for (DType dtype : List.of(DType.F16, DType.BF16)) {
        for (int dim : List.of(40, 64, 80, 160)) {
          for (int keys : List.of(77, 4096)) {
            int width = 8 * dim;
            var problem =
                new CudnnAttention.Problem(
                    2, 8, 4096, keys, dim, width, width, width, width, 0.125f);
            try (CudnnGraph graph = CudnnAttention.graph(target, problem, dtype)) {
              List<CudnnPlan> plans = graph.plans(CudnnGraph.Mode.A, 2);
              System.out.printf("%s %s: %d plans%n", dtype, problem, plans.size());
              assertThat(plans).isNotEmpty();
              plans.forEach(CudnnPlan::close);
            }
          }
        }
      }
    }
  }

  @Test
  void cudnnRefusesAnExtentThatDoesNotFit() {
    var target = CudnnGraph.Target.of(MemorySegment.NULL);
    assertThatThrownBy(
            () ->
                graph(
                    target,
                    problem(Conv2dGeometry.square(3, 1, 1), 63),
                    DType.F16,
                    CudnnFusion.NONE))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("cudnnBackendFinalize of forward")
        .hasMessageContaining("CUDNN_STATUS_BAD_PARAM");
  }

  @Test
  void cublasLtTakesTheDescriptorsOfAProduct() {
    assertThat(found).contains(CudaLibraries.MATRIX);
    assertThat(CublasLt.cublasLtGetVersion()).isGreaterThanOrEqualTo(130_000);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      int created = CublasLt.cublasLtCreate(out);
      MemorySegment handle = created == 0 ? out.get(ADDRESS, 0) : MemorySegment.NULL;
      CublasLtPlan.Key key = new CublasLtPlan.Key(128, 320, 640, true, true, false, 256);
      // Descriptors need no GPU; the heuristic does, and says so when there is none.
      try (CublasLtPlan plan = new CublasLtPlan(handle, key, DType.F16, 1 << 20)) {
        assertThat(plan.isSupported()).isTrue();
      } catch (CudaException e) {
        assertThat(e).hasMessageContaining("cublasLtMatmulAlgoGetHeuristic");
      }
    }
  }
}

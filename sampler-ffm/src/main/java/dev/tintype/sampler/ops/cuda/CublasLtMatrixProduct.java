package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.tintype.sampler.bindings.cublaslt.CublasLt;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Linear layers by cublasLt. It thinks in columns: our row-major out = x W^T is its out^T = W x^T,
 * with W transposed. Bias is fused as its epilogue, the residual as its C with beta 1; its GELU is
 * the tanh approximation and is not used. Products that it has no algorithm for go to our own
 * kernel. Of the algorithms that the heuristic names, the one measured to be fastest is taken.
 */
final class CublasLtMatrixProduct implements MatrixProduct {
  /** NVIDIA's advice for Hopper; the largest that any algorithm asks for. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  private static final long ROW_ALIGNMENT_BYTES = 16;

  /** Shapes that are remembered: a network has fewer than a hundred per picture size. */
  private static final int PLANS_MAX = 1024;

  private final Cuda cuda;
  private final CudaMemory memory;
  private final DType dtype;
  private final Tuner tuner;
  private final KernelMatrixProduct own;
  private final EpilogueKernel epilogue;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment handle;
  private final MemorySegment workspace;
  private final MemorySegment alpha = arena.allocate(JAVA_FLOAT);
  private final MemorySegment beta = arena.allocate(JAVA_FLOAT);
  private final MemorySegment pointer = arena.allocate(ADDRESS);

  /** Its kernels belong to the library and live on in graphs when a plan is closed. */
  private final PlanCache<CublasLtPlan.Key, CublasLtPlan> plans =
      new PlanCache<>(PLANS_MAX, () -> {}, CublasLtPlan::close);

  private final OptionalWays optional = new OptionalWays();

  CublasLtMatrixProduct(Cuda cuda, CudaMemory memory, Kernels kernels, DType dtype, Tuner tuner) {
    this.cuda = cuda;
    this.memory = memory;
    this.dtype = dtype;
    this.tuner = tuner;
    this.own = new KernelMatrixProduct(kernels);
    this.epilogue = new EpilogueKernel(kernels, dtype.bytes());
    check(CublasLt.cublasLtCreate(pointer), "cublasLtCreate");
    this.handle = pointer.get(ADDRESS, 0);
    this.workspace = MemorySegment.ofAddress(memory.pin(WORKSPACE_BYTES));
  }

  static void check(int status, String call) {
    if (status != 0) {
      MemorySegment name = CublasLt.cublasLtGetStatusName(status).reinterpret(Long.MAX_VALUE);
      MemorySegment text = CublasLt.cublasLtGetStatusString(status).reinterpret(Long.MAX_VALUE);
      throw CudaException.ofLibrary(status, name.getString(0), text.getString(0), call);
    }
  }

  private CublasLtPlan plan(CublasLtPlan.Key key) {
    return plans
        .get(key)
        .orElseGet(
            () -> {
              CublasLtPlan plan = new CublasLtPlan(handle, key, dtype, WORKSPACE_BYTES);
              plans.put(key, plan);
              return plan;
            });
  }

  /** Asks for the least alignment that attention's operands have: rows of 16 bytes. */
  @Override
  public boolean widens(long rows, int inFeatures, int outFeatures) {
    return plan(new CublasLtPlan.Key(
            rows, inFeatures, outFeatures, false, false, true, ROW_ALIGNMENT_BYTES))
        .isSupported();
  }

  @Override
  public void multiply(Call call) {
    // What the library can do in one call: scale (AB) + C + bias. A bias under a scale and an
    // activation come before the scale, so they and all that follows need the kernel.
    boolean linear = call.activation() == 0 && (call.scale() == 1 || call.bias() == 0);
    boolean fuseResidual = linear && call.residual() != 0;
    long alignment =
        Math.min(
            CudaMemory.ALIGNMENT_BYTES,
            Long.lowestOneBit(
                call.x() | call.weights() | call.out() | (fuseResidual ? call.residual() : 0)));
    CublasLtPlan.Key key =
        new CublasLtPlan.Key(
            call.rows(),
            call.inFeatures(),
            call.outFeatures(),
            call.bias() != 0,
            fuseResidual,
            call.wide(),
            alignment);
    CublasLtPlan plan = plan(key);
    if (!plan.isSupported()) {
      own.multiply(call);
      return;
    }
    try {
      if (!plan.isChosen()) {
        plan.choose(choose(key, plan, call, linear));
      }
      run(key, plan, call, linear);
    } catch (DeviceException e) {
      // Our own kernel gives no fp32; attention knows another way then.
      if (call.wide() || plan.isOwn() || memory.isRecording()) {
        throw e;
      }
      optional.passOver("cublasLt", key.toString(), e);
      plan.giveUp();
      own.multiply(call);
    }
  }

  /** All of the call, by what the plan has chosen. */
  private void run(CublasLtPlan.Key key, CublasLtPlan plan, Call call, boolean linear) {
    if (plan.isOwn()) {
      own.multiply(call);
      return;
    }
    if (call.bias() != 0) {
      pointer.set(ADDRESS, 0, MemorySegment.ofAddress(call.bias()));
      plan.bias(pointer);
    }
    alpha.set(JAVA_FLOAT, 0, linear ? call.scale() : 1);
    beta.set(JAVA_FLOAT, 0, key.residual() ? 1 : 0);
    product(key, plan, call);
    if (!linear) {
      epilogue.apply(
          call.out(),
          call.rows() * call.outFeatures(),
          call.outFeatures(),
          0,
          call.activation(),
          call.scale(),
          call.residual());
    }
  }

  private void product(CublasLtPlan.Key key, CublasLtPlan plan, Call call) {
    MemorySegment out = MemorySegment.ofAddress(call.out());
    int status =
        plan.run(
            handle,
            alpha,
            MemorySegment.ofAddress(call.weights()),
            MemorySegment.ofAddress(call.x()),
            beta,
            key.residual() ? MemorySegment.ofAddress(call.residual()) : out,
            out,
            workspace,
            WORKSPACE_BYTES,
            MemorySegment.ofAddress(cuda.stream()));
    check(status, "cublasLtMatmul of " + key);
  }

  private int choose(CublasLtPlan.Key key, CublasLtPlan plan, Call call, boolean linear) {
    return tuner.choose(
        "product " + dtype + " " + key,
        new Tuner.Ways<Integer>() {
          @Override
          public Optional<Integer> named(String id) {
            return candidates().stream().filter(way -> id(way).equals(id)).findFirst();
          }

          @Override
          public Integer advised() {
            return 0;
          }

          @Override
          public List<Integer> candidates() {
            IntStream all = IntStream.range(0, plan.algorithms());
            return !call.wide() && own.isFast(call.inFeatures(), call.outFeatures())
                ? IntStream.concat(all, IntStream.of(CublasLtPlan.OWN)).boxed().toList()
                : all.boxed().toList();
          }

          @Override
          public String id(Integer way) {
            return way == CublasLtPlan.OWN ? "own" : way.toString();
          }

          @Override
          public void run(Integer way) {
            plan.choose(way);
            CublasLtMatrixProduct.this.run(key, plan, call, linear);
          }
        });
  }

  @Override
  public String description() {
    return "cublasLt " + CublasLt.cublasLtGetVersion();
  }

  @Override
  public void close() {
    plans.close();
    memory.unpin(workspace.address(), WORKSPACE_BYTES);
    check(CublasLt.cublasLtDestroy(handle), "cublasLtDestroy");
    arena.close();
  }
}

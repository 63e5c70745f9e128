package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Convolutions by cuDNN: a plan of the graph API per shape, else the older fixed API, else our own
 * kernel. Kernels of one pixel are matrix products and go to cublasLt. Plans are the heuristics'
 * first choices, so they are the same in every run; -Dtintype.cudnn.fuse=true asks for plans with
 * biases and residual inside, which cuDNN compiles on first use.
 */
final class CudnnConvolution implements Convolution {
  /** Shapes that are remembered: a network has fewer than a hundred per picture size. */
  private static final int PLANS_MAX = 1024;

  private static final int VERSION_MIN = 90_000;

  /** cuDNN reads 16 bytes at a time; our own kernel takes any address. */
  private static final long ALIGNMENT_BYTES = 16;

  private final Cuda cuda;
  private final CudaMemory memory;
  private final DType dtype;
  private final MatrixProduct matrix;
  private final Convolution own;
  private final EpilogueKernel epilogue;
  private final MemorySegment handle;
  private final boolean fuse = Boolean.getBoolean("tintype.cudnn.fuse");
  private final LinkedHashMap<Key, Chosen> plans =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Chosen> eldest) {
          if (size() > PLANS_MAX) {
            eldest.getValue().close();
            return true;
          }
          return false;
        }
      };

  private record Key(Problem problem, CudnnFusion fusion) {}

  /** What a shape is computed by; both empty means our own kernel. */
  private record Chosen(Optional<CudnnPlan> plan, Optional<CudnnFixedPlan> fixed)
      implements AutoCloseable {
    @Override
    public void close() {
      plan.ifPresent(CudnnPlan::close);
      fixed.ifPresent(CudnnFixedPlan::close);
    }
  }

  CudnnConvolution(
      Cuda cuda,
      CudaMemory memory,
      Kernels kernels,
      DType dtype,
      MatrixProduct matrix,
      Convolution own) {
    this.cuda = cuda;
    this.memory = memory;
    this.dtype = dtype;
    this.matrix = matrix;
    this.own = own;
    this.epilogue = new EpilogueKernel(kernels, dtype.bytes());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      CudnnDescriptor.check(Cudnn.cudnnCreate(out), "cudnnCreate");
      handle = out.get(ADDRESS, 0);
    }
    if (Cudnn.cudnnGetVersion() < VERSION_MIN) {
      throw new CudaException(
          CudaException.UNAVAILABLE,
          0,
          "cuDNN " + Cudnn.cudnnGetVersion() + " is too old, 9.0 or newer is needed");
    }
    CudnnDescriptor.check(
        Cudnn.cudnnSetStream(handle, MemorySegment.ofAddress(cuda.stream())), "cudnnSetStream");
  }

  @Override
  public void convolve(Problem problem, Call call) {
    if (problem.isPointwise()) {
      multiply(problem, call);
      return;
    }
    // What is absent is 0 and so aligned to anything.
    long bits = call.x() | call.out() | call.channelBias() | call.residual();
    if (Long.lowestOneBit(bits) < ALIGNMENT_BYTES) {
      own.convolve(problem, call);
      return;
    }
    CudnnFusion wanted = fuse ? CudnnFusion.of(call) : CudnnFusion.NONE;
    Chosen chosen = plans.computeIfAbsent(new Key(problem, wanted), this::choose);
    CudnnFusion done = CudnnFusion.NONE;
    if (chosen.plan().isPresent()) {
      CudnnPlan plan = chosen.plan().get();
      long workspace = memory.take(plan.workspaceBytes());
      plan.run(handle, call, workspace);
      memory.release(workspace, plan.workspaceBytes());
      done = plan.fusion();
    } else if (chosen.fixed().isPresent()) {
      CudnnFixedPlan plan = chosen.fixed().get();
      long workspace = memory.take(plan.workspaceBytes());
      plan.run(handle, call, workspace);
      memory.release(workspace, plan.workspaceBytes());
    } else {
      own.convolve(problem, call);
      return;
    }
    long item = (long) problem.outHeight() * problem.outWidth() * problem.outChannels();
    epilogue.apply(
        call.out(),
        problem.samples() * item,
        problem.outChannels(),
        item,
        done.bias() ? 0 : call.bias(),
        call.channelBias(),
        call.activation(),
        call.scale(),
        done.residual() ? 0 : call.residual());
  }

  private Chosen choose(Key key) {
    CudnnPlan.Target target = CudnnPlan.Target.of(handle);
    Optional<CudnnPlan> plan = CudnnPlan.find(target, key.problem(), dtype, key.fusion());
    if (plan.isEmpty() && key.fusion().count() > 0) {
      plan = CudnnPlan.find(target, key.problem(), dtype, CudnnFusion.NONE);
    }
    return new Chosen(
        plan,
        plan.isPresent() ? Optional.empty() : CudnnFixedPlan.find(handle, key.problem(), dtype));
  }

  private void multiply(Problem problem, Call call) {
    long pixels = (long) problem.outHeight() * problem.outWidth();
    matrix.multiply(
        new MatrixProduct.Call(
            call.x(),
            call.weights(),
            call.out(),
            problem.samples() * pixels,
            problem.inChannels(),
            problem.outChannels(),
            call.bias(),
            call.channelBias(),
            pixels,
            call.activation(),
            call.scale(),
            call.residual(),
            false));
  }

  @Override
  public String description() {
    return "cuDNN " + Cudnn.cudnnGetVersion();
  }

  @Override
  public void close() {
    if (!cuda.isLost()) {
      cuda.synchronize();
    }
    plans.values().forEach(Chosen::close);
    plans.clear();
    own.close();
    CudnnDescriptor.check(Cudnn.cudnnDestroy(handle), "cudnnDestroy");
  }
}

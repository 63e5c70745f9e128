package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Convolutions by cuDNN: plans of the graph API with and without biases and residual inside, and
 * the older fixed functions; per shape the one that was measured to be fastest, else the first that
 * the heuristics name. 16-bit channels that are no multiple of 8 are done padded and as they are;
 * unmeasured, padded. Where cuDNN has no plan, our own kernel. Kernels of one pixel are matrix
 * products and go to cublasLt.
 */
final class CudnnConvolution implements Convolution {
  /** Shapes that are remembered: a network has fewer than a hundred per picture size. */
  private static final int SHAPES_MAX = 1024;

  private static final int VERSION_MIN = 90_000;

  /** cuDNN reads 16 bytes at a time; our own kernel takes any address. */
  private static final long ALIGNMENT_BYTES = 16;

  /** Plans that are measured, per heuristic: its first are nearly always its best. */
  private static final int PLANS_OF_MODE_A = 3;

  private static final int PLANS_OF_MODE_B = 1;

  /** Each with operands fused in is compiled when it is made, which takes up to a second. */
  private static final int FUSED_PLANS = 1;

  private final Cuda cuda;
  private final CudaMemory memory;
  private final DType dtype;
  private final MatrixProduct matrix;
  private final KernelConvolution own;
  private final ChannelPadding padding;
  private final Tuner tuner;
  private final EpilogueKernel epilogue;
  private final MemorySegment handle;
  private final OptionalWays optional = new OptionalWays();
  private final PlanCache<Key, Way> chosen;

  /** A shape, and what may be fused into it. */
  private record Key(Problem problem, CudnnFusion fusion) {
    String text(DType dtype) {
      return "conv " + dtype + " " + problem + " " + fusion;
    }

    /** Where results are dropped afterwards, all of the epilogue comes with that. */
    Key padded() {
      Problem padded = ChannelPadding.padded(problem);
      boolean same = padded.outChannels() == problem.outChannels();
      return new Key(padded, same ? fusion : CudnnFusion.NONE);
    }
  }

  CudnnConvolution(
      Cuda cuda,
      CudaMemory memory,
      Kernels kernels,
      DType dtype,
      MatrixProduct matrix,
      KernelConvolution own,
      ChannelPadding padding,
      Tuner tuner) {
    this.cuda = cuda;
    this.memory = memory;
    this.dtype = dtype;
    this.matrix = matrix;
    this.own = own;
    this.padding = padding;
    this.tuner = tuner;
    this.epilogue = new EpilogueKernel(kernels, dtype.bytes());
    this.chosen = new PlanCache<>(SHAPES_MAX, cuda::givePlanUp, Way::close);
    if (Cudnn.cudnnGetVersion() < VERSION_MIN) {
      throw new CudaException(
          CudaException.UNAVAILABLE,
          0,
          "cuDNN " + Cudnn.cudnnGetVersion() + " is too old, 9.0 or newer is needed");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      CudnnDescriptor.check(Cudnn.cudnnCreate(out), "cudnnCreate");
      handle = out.get(ADDRESS, 0);
    }
    CudnnDescriptor.check(
        Cudnn.cudnnSetStream(handle, MemorySegment.ofAddress(cuda.stream())), "cudnnSetStream");
  }

  @Override
  public Optional<CudnnAttention> attention() {
    return dtype == DType.F32 || Cudnn.cudnnGetVersion() < CudnnAttention.VERSION_MIN
        ? Optional.empty()
        : Optional.of(new CudnnAttention(handle, memory, dtype));
  }

  @Override
  public void convolve(Problem problem, Call call) {
    if (problem.geometry().isPointwise()) {
      multiply(problem, call);
      return;
    }
    // What is absent is 0 and so aligned to anything.
    long bits = call.x() | call.out() | call.residual();
    if (Long.lowestOneBit(bits) < ALIGNMENT_BYTES) {
      own.convolve(problem, call);
      return;
    }
    Key key = new Key(problem, CudnnFusion.of(call));
    Optional<Way> known = chosen.get(key);
    Way way = known.isPresent() ? known.get() : choose(key, call);
    if (known.isEmpty()) {
      chosen.put(key, way);
    }
    run(key, way, call);
  }

  /**
   * By our own kernel where the library's way fails after all: unpadded, it needs neither memory
   * nor a plan.
   */
  private void run(Key key, Way way, Call call) {
    try {
      way.run(call);
    } catch (DeviceException e) {
      if (way instanceof Own || memory.isRecording()) {
        throw e;
      }
      optional.passOver(way.id(), key.text(dtype), e);
      own.convolve(key.problem(), call.withoutPadding());
      if (!e.code().equals(DeviceException.OUT_OF_MEMORY)) {
        chosen.put(key, new Own(key.problem()));
      }
    }
  }

  // ---- the ways of computing one shape

  /** One of them; holds what cuDNN made for it. */
  private sealed interface Way extends AutoCloseable {
    String id();

    void run(Call call);

    @Override
    void close();
  }

  /** A plan of the graph API; our kernel does what is not fused into it. */
  private final class Planned implements Way {
    private final Problem problem;
    private final CudnnFusion fusion;
    private final CudnnPlan plan;

    Planned(Problem problem, CudnnFusion fusion, CudnnPlan plan) {
      this.problem = problem;
      this.fusion = fusion;
      this.plan = plan;
    }

    @Override
    public String id() {
      return "plan " + fusion.word() + " " + plan.id();
    }

    @Override
    public void run(Call call) {
      plan.run(handle, memory, fusion.ids(), fusion.addresses(call));
      finish(problem, call, fusion);
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /** A function of the older API, and our kernel. */
  private final class Fixed implements Way {
    private final Problem problem;
    private final CudnnFixedPlan plan;

    Fixed(Problem problem, CudnnFixedPlan plan) {
      this.problem = problem;
      this.plan = plan;
    }

    @Override
    public String id() {
      return "fixed";
    }

    @Override
    public void run(Call call) {
      long workspace = memory.take(plan.workspaceBytes());
      try {
        plan.run(handle, call, workspace);
      } finally {
        memory.release(workspace, plan.workspaceBytes());
      }
      finish(problem, call, CudnnFusion.NONE);
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /** Our kernel, which does everything itself. */
  private final class Own implements Way {
    private final Problem problem;

    Own(Problem problem) {
      this.problem = problem;
    }

    @Override
    public String id() {
      return "own";
    }

    @Override
    public void run(Call call) {
      own.convolve(problem, call);
    }

    @Override
    public void close() {}
  }

  /** One of those for padded channels, between two of our kernels. */
  private final class Padded implements Way {
    static final String PREFIX = "padded ";

    private final Problem problem;
    private final Way wide;

    Padded(Problem problem, Way wide) {
      this.problem = problem;
      this.wide = wide;
    }

    @Override
    public String id() {
      return PREFIX + wide.id();
    }

    @Override
    public void run(Call call) {
      padding.around(problem, call, wide::run);
    }

    @Override
    public void close() {
      wide.close();
    }
  }

  private void finish(Problem problem, Call call, CudnnFusion done) {
    epilogue.apply(
        call.out(),
        problem.outPixels() * problem.outChannels(),
        problem.outChannels(),
        done.bias() ? 0 : call.bias(),
        call.activation(),
        call.scale(),
        done.residual() ? 0 : call.residual());
  }

  // ---- choosing

  private Way choose(Key key, Call call) {
    String text = key.text(dtype);
    try {
      return tuner.choose(text, new Ways(key, call));
    } catch (DeviceException e) {
      optional.passOver("any way of cuDNN", text, e);
      return new Own(key.problem());
    }
  }

  private final class Ways implements Tuner.Ways<Way> {
    private final Key key;
    private final Call call;

    Ways(Key key, Call call) {
      this.key = key;
      this.call = call;
    }

    @Override
    public Optional<Way> named(String id) {
      return CudnnConvolution.this.named(key, id);
    }

    @Override
    public Way advised() {
      return CudnnConvolution.this.advised(key.problem());
    }

    @Override
    public List<Way> candidates() {
      return CudnnConvolution.this.candidates(key);
    }

    @Override
    public String id(Way way) {
      return way.id();
    }

    @Override
    public void run(Way way) {
      way.run(call);
    }

    @Override
    public void close(Way way) {
      way.close();
    }
  }

  private boolean isPadded(Problem problem) {
    return ChannelPadding.isFor(
        dtype, problem.geometry(), problem.inChannels(), problem.outChannels());
  }

  /**
   * What the heuristics name first, the same in every process. Padded where that is for it: two
   * launches of some us, where without them any engine may be the first.
   */
  private Way advised(Problem problem) {
    Optional<Way> way =
        isPadded(problem)
            ? first(ChannelPadding.padded(problem)).map(wide -> new Padded(problem, wide))
            : Optional.empty();
    return way.or(() -> first(problem)).orElseGet(() -> new Own(problem));
  }

  /** Empty where cuDNN has no way. */
  private Optional<Way> first(Problem problem) {
    List<Way> ways = new ArrayList<>();
    add(ways, problem, CudnnFusion.NONE, CudnnGraph.Mode.A, 1);
    if (ways.isEmpty()) {
      add(ways, problem, CudnnFusion.NONE, CudnnGraph.Mode.F, 1);
    }
    return ways.isEmpty() ? fixed(problem) : Optional.of(ways.getFirst());
  }

  private List<Way> candidates(Key key) {
    Problem problem = key.problem();
    List<Way> ways = new ArrayList<>();
    if (isPadded(problem)) {
      addAll(ways, key.padded());
      ways.replaceAll(wide -> new Padded(problem, wide));
    }
    addAll(ways, key);
    if (ways.isEmpty()) {
      add(ways, problem, CudnnFusion.NONE, CudnnGraph.Mode.F, 1);
    }
    // Has all of the epilogue inside.
    if (ways.isEmpty() || own.isFast(problem)) {
      ways.add(new Own(problem));
    }
    return ways;
  }

  private void addAll(List<Way> ways, Key key) {
    Problem problem = key.problem();
    add(ways, problem, CudnnFusion.NONE, CudnnGraph.Mode.A, PLANS_OF_MODE_A);
    add(ways, problem, CudnnFusion.NONE, CudnnGraph.Mode.B, PLANS_OF_MODE_B);
    fixed(problem).ifPresent(ways::add);
    // Where channels are padded too, those plans alone are worth what compiling costs.
    if (key.fusion().count() > 0 && !isPadded(problem)) {
      add(ways, problem, key.fusion(), CudnnGraph.Mode.A, FUSED_PLANS);
    }
  }

  private void add(
      List<Way> ways, Problem problem, CudnnFusion fusion, CudnnGraph.Mode mode, int most) {
    try (CudnnGraph graph = graph(problem, fusion)) {
      for (CudnnPlan plan : graph.plans(mode, most)) {
        ways.add(new Planned(problem, fusion, plan));
      }
    } catch (DeviceException e) {
      optional.passOver("plans with " + fusion.word() + " of mode " + mode, problem.toString(), e);
    }
  }

  /** The way of that id; empty when there is none any more. */
  private Optional<Way> named(Key key, String id) {
    if (id.startsWith(Padded.PREFIX)) {
      return isPadded(key.problem())
          ? named(key.padded(), id.substring(Padded.PREFIX.length()))
              .map(wide -> new Padded(key.problem(), wide))
          : Optional.empty();
    }
    String[] words = id.split(" ");
    return switch (words[0]) {
      case "fixed" -> fixed(key.problem());
      case "own" -> Optional.of(new Own(key.problem()));
      case "plan" -> planned(key, words);
      default -> Optional.empty();
    };
  }

  private Optional<Way> planned(Key key, String[] words) {
    Optional<CudnnFusion> fusion =
        words.length == 3 ? CudnnFusion.ofWord(words[1]) : Optional.empty();
    if (fusion.isEmpty() || !key.fusion().includes(fusion.get())) {
      return Optional.empty();
    }
    try (CudnnGraph graph = graph(key.problem(), fusion.get())) {
      return graph.plan(words[2]).map(plan -> new Planned(key.problem(), fusion.get(), plan));
    } catch (DeviceException e) {
      optional.passOver("a remembered plan", key.text(dtype), e);
      return Optional.empty();
    }
  }

  private Optional<Way> fixed(Problem problem) {
    try {
      return CudnnFixedPlan.find(handle, problem, dtype).map(plan -> new Fixed(problem, plan));
    } catch (DeviceException e) {
      optional.passOver("the fixed functions of cuDNN", problem.toString(), e);
      return Optional.empty();
    }
  }

  private CudnnGraph graph(Problem problem, CudnnFusion fusion) {
    return CudnnGraph.of(
        CudnnGraph.Target.of(handle),
        dtype,
        problem.toString(),
        owned -> new CudnnOperations(owned, dtype).build(problem, fusion));
  }

  private void multiply(Problem problem, Call call) {
    matrix.multiply(
        new MatrixProduct.Call(
            call.x(),
            call.weights(),
            call.out(),
            problem.outPixels(),
            problem.inChannels(),
            problem.outChannels(),
            call.bias(),
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
    try {
      chosen.close();
      own.close();
    } finally {
      CudnnDescriptor.check(Cudnn.cudnnDestroy(handle), "cudnnDestroy");
    }
  }
}

package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tintype.sampler.bindings.cublaslt.CublasLt;
import dev.tintype.sampler.bindings.cublaslt.cublasLtMatmulHeuristicResult_t;
import dev.tintype.sampler.device.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Descriptors and algorithms of one shape of matrix product. */
final class CublasLtPlan implements AutoCloseable {

  /** What decides the algorithm. Features are columns of our row-major matrices. */
  record Key(
      long rows,
      int inFeatures,
      int outFeatures,
      boolean bias,
      boolean residual,
      boolean wide,
      long alignmentBytes) {}

  /** Of what the heuristic names; its first are nearly always its best. */
  private static final int ALGORITHMS_MAX = 6;

  private static final int NONE = -1;

  /** Not one of the library's algorithms but our own kernel. */
  static final int OWN = -2;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment out = arena.allocate(ADDRESS);
  private final MemorySegment number = arena.allocate(JAVA_LONG);
  private final MemorySegment operation;
  private final MemorySegment weights;
  private final MemorySegment input;
  private final MemorySegment result;
  private final MemorySegment results =
      cublasLtMatmulHeuristicResult_t.allocateArray(ALGORITHMS_MAX, arena);
  private final List<MemorySegment> algorithms = new ArrayList<>();
  private int chosen = NONE;

  CublasLtPlan(MemorySegment handle, Key key, DType dtype, long workspaceBytes) {
    int type = type(dtype);
    check(
        CublasLt.cublasLtMatmulDescCreate(
            out, CublasLt.CUBLAS_COMPUTE_32F(), CublasLt.CUDA_R_32F()),
        "cublasLtMatmulDescCreate");
    operation = out.get(ADDRESS, 0);
    set(CublasLt.CUBLASLT_MATMUL_DESC_TRANSA(), CublasLt.CUBLAS_OP_T());
    set(CublasLt.CUBLASLT_MATMUL_DESC_TRANSB(), CublasLt.CUBLAS_OP_N());
    if (key.bias()) {
      set(CublasLt.CUBLASLT_MATMUL_DESC_EPILOGUE(), CublasLt.CUBLASLT_EPILOGUE_BIAS());
    }
    weights = layout(type, key.inFeatures(), key.outFeatures());
    input = layout(type, key.inFeatures(), key.rows());
    result = layout(key.wide() ? CublasLt.CUDA_R_32F() : type, key.outFeatures(), key.rows());
    find(handle, key, workspaceBytes);
  }

  static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> CublasLt.CUDA_R_32F();
      case F16 -> CublasLt.CUDA_R_16F();
      case BF16 -> CublasLt.CUDA_R_16BF();
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("no products of " + dtype);
    };
  }

  private static void check(int status, String call) {
    CublasLtMatrixProduct.check(status, call);
  }

  private void set(int attribute, int value) {
    number.set(JAVA_INT, 0, value);
    check(
        CublasLt.cublasLtMatmulDescSetAttribute(operation, attribute, number, JAVA_INT.byteSize()),
        "cublasLtMatmulDescSetAttribute " + attribute);
  }

  /** Column-major, so our rows are its columns; dense. */
  private MemorySegment layout(int type, long rows, long columns) {
    check(
        CublasLt.cublasLtMatrixLayoutCreate(out, type, rows, columns, rows),
        "cublasLtMatrixLayoutCreate " + rows + " x " + columns);
    return out.get(ADDRESS, 0);
  }

  /** Asks the heuristic; no algorithm may fit. */
  private void find(MemorySegment handle, Key key, long workspaceBytes) {
    check(CublasLt.cublasLtMatmulPreferenceCreate(out), "cublasLtMatmulPreferenceCreate");
    MemorySegment preference = out.get(ADDRESS, 0);
    try {
      number.set(JAVA_LONG, 0, workspaceBytes);
      prefer(preference, CublasLt.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(), JAVA_LONG.byteSize());
      // Sums of parts in fp32, in a fixed order: neither by atomics nor in 16 bits.
      number.set(JAVA_LONG, 0, CublasLt.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE());
      prefer(
          preference, CublasLt.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK(), JAVA_INT.byteSize());
      number.set(JAVA_LONG, 0, key.alignmentBytes());
      for (int attribute :
          new int[] {
            CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES(),
            CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES(),
            CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES(),
            CublasLt.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES()
          }) {
        prefer(preference, attribute, JAVA_INT.byteSize());
      }
      MemorySegment count = arena.allocate(JAVA_INT);
      int status =
          CublasLt.cublasLtMatmulAlgoGetHeuristic(
              handle,
              operation,
              weights,
              input,
              result,
              result,
              preference,
              ALGORITHMS_MAX,
              results,
              count);
      // NOT_SUPPORTED (15) is an answer; anything else that is not success is an error.
      if (status == CublasLt.CUBLAS_STATUS_NOT_SUPPORTED()) {
        return;
      }
      check(status, "cublasLtMatmulAlgoGetHeuristic of " + key);
      for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
        MemorySegment found = cublasLtMatmulHeuristicResult_t.asSlice(results, i);
        if (cublasLtMatmulHeuristicResult_t.state(found) == 0) {
          algorithms.add(cublasLtMatmulHeuristicResult_t.algo(found));
        }
      }
    } finally {
      CublasLt.cublasLtMatmulPreferenceDestroy(preference);
    }
  }

  private void prefer(MemorySegment preference, int attribute, long bytes) {
    check(
        CublasLt.cublasLtMatmulPreferenceSetAttribute(preference, attribute, number, bytes),
        "cublasLtMatmulPreferenceSetAttribute " + attribute);
  }

  boolean isSupported() {
    return !algorithms.isEmpty();
  }

  /** How many algorithms there are, the heuristic's best first. */
  int algorithms() {
    return algorithms.size();
  }

  /** Takes that one from now on. */
  void choose(int algorithm) {
    chosen = algorithm;
  }

  boolean isChosen() {
    return chosen != NONE;
  }

  boolean isOwn() {
    return chosen == OWN;
  }

  /** When no algorithm works after all. */
  void giveUp() {
    algorithms.clear();
  }

  /** Where the bias lies, of the result's type; {@code pointer} holds the address. */
  void bias(MemorySegment pointer) {
    check(
        CublasLt.cublasLtMatmulDescSetAttribute(
            operation, CublasLt.CUBLASLT_MATMUL_DESC_BIAS_POINTER(), pointer, ADDRESS.byteSize()),
        "cublasLtMatmulDescSetAttribute bias pointer");
  }

  int run(
      MemorySegment handle,
      MemorySegment alpha,
      MemorySegment a,
      MemorySegment b,
      MemorySegment beta,
      MemorySegment c,
      MemorySegment d,
      MemorySegment workspace,
      long workspaceBytes,
      MemorySegment stream) {
    return CublasLt.cublasLtMatmul(
        handle,
        operation,
        alpha,
        a,
        weights,
        b,
        input,
        beta,
        c,
        result,
        d,
        result,
        algorithms.get(chosen),
        workspace,
        workspaceBytes,
        stream);
  }

  @Override
  public void close() {
    CublasLt.cublasLtMatrixLayoutDestroy(weights);
    CublasLt.cublasLtMatrixLayoutDestroy(input);
    CublasLt.cublasLtMatrixLayoutDestroy(result);
    CublasLt.cublasLtMatmulDescDestroy(operation);
    arena.close();
  }
}

package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PhiloxNormal;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Attention as two matrix products: the launches on the emulator, the products by plain Java on the
 * emulated memory, as cublasLt would do them.
 */
class CudaAttentionProductsTest {

  /** Products of fp16 operands, fp32 or fp16 results, with the layouts that a call promises. */
  private static final class HostProduct implements MatrixProduct {
    private int calls;

    /** The first that fails, as a library's may that found no algorithm in time; 0: none. */
    private int failsAt;

    private static float half(long address, long index) {
      MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE);
      return Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, index));
    }

    @Override
    public void multiply(Call call) {
      calls++;
      if (calls == failsAt) {
        throw CudaException.ofLibrary(14, "CUBLAS_STATUS_INTERNAL_ERROR", "", "cublasLtMatmul");
      }
      MemorySegment out = MemorySegment.ofAddress(call.out()).reinterpret(Long.MAX_VALUE);
      for (long row = 0; row < call.rows(); row++) {
        for (int column = 0; column < call.outFeatures(); column++) {
          double sum = 0;
          for (int i = 0; i < call.inFeatures(); i++) {
            sum +=
                (double) half(call.x(), row * call.inFeatures() + i)
                    * half(call.weights(), (long) column * call.inFeatures() + i);
          }
          float value = (float) (sum * call.scale());
          long index = row * call.outFeatures() + column;
          if (call.wide()) {
            out.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
          } else {
            out.setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16(value));
          }
        }
      }
    }

    @Override
    public boolean widens(long rows, int inFeatures, int outFeatures) {
      return true;
    }

    @Override
    public String description() {
      return "host";
    }

    @Override
    public void close() {}
  }

  @Test
  void wholeBandsAndOneThatIsNot() {
    check(2, 20, 24, false, 8 * 4 * 24, 2 * 3 * 2);
  }

  @Test
  void causal() {
    check(1, 16, 16, true, 5 * 4 * 16, 4 * 2);
  }

  /** Half of it was done already: our kernel does all. */
  @Test
  void productsThatFailAreDoneWithout() {
    HostProduct product = new HostProduct();
    product.failsAt = 4;
    check(product, 2, 20, 24, false, 8 * 4 * 24, 4);
  }

  private static void check(
      int samples, int queries, int keys, boolean causal, long scoreBytes, int products) {
    check(new HostProduct(), samples, queries, keys, causal, scoreBytes, products);
  }

  private static void check(
      HostProduct product,
      int samples,
      int queries,
      int keys,
      boolean causal,
      long scoreBytes,
      int products) {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
    int dim = 200;
    Cuda cuda = new Cuda(new EmulatedCudaRuntime(), 0);
    Ops reference = new ReferenceDevice().ops();
    try (CudaMemory memory = new CudaMemory(cuda, 1L << 30);
        Kernels kernels = new Kernels(cuda, DType.F16, new byte[16])) {
      CudaTensors tensors = new CudaTensors(cuda, memory, DType.F16);
      CudaAttention attention =
          new CudaAttention(
              kernels, tensors, product, Optional.empty(), Tuner.off(cuda, memory), scoreBytes);
      float[] q = values(1, samples * queries * dim);
      float[] k = values(2, samples * keys * dim);
      float[] v = values(3, samples * keys * dim);
      Shape queryShape = Shape.of(samples, queries, dim);
      Shape keyShape = Shape.of(samples, keys, dim);
      float[] found;
      try (Tensor a = tensors.upload(q, queryShape);
          Tensor b = tensors.upload(k, keyShape);
          Tensor c = tensors.upload(v, keyShape);
          Tensor out = attention.attend(a, b, c, 1, 0.1f, causal)) {
        found = tensors.download(out);
      }
      try (Tensor a = tensors.upload(q, queryShape);
          Tensor b = tensors.upload(k, keyShape);
          Tensor c = tensors.upload(v, keyShape)) {
        int calls = product.calls;
        attention.attend(a, b, c, 1, 0.1f, causal).close();
        assertThat(product.calls - calls)
            .as("not tried again once it failed")
            .isEqualTo(product.failsAt > 0 ? 0 : products);
        assertThat(calls).isEqualTo(products);
      }
      assertThat(memory.bytesUsed()).isZero();
      float[] expected;
      try (Tensor out =
          reference.attention(
              reference.upload(q, queryShape),
              reference.upload(k, keyShape),
              reference.upload(v, keyShape),
              1,
              0.1f,
              causal)) {
        expected = reference.download(out);
      }
      for (int i = 0; i < expected.length; i++) {
        assertThat(found[i]).as("element " + i).isCloseTo(expected[i], within(3e-3f));
      }
    }
  }

  /** Rounded to fp16, so that both sides start from the same numbers. */
  private static float[] values(long seed, int count) {
    float[] values = new float[count];
    PhiloxNormal.fill(seed, 0, values, 0, count);
    for (int i = 0; i < count; i++) {
      values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
    }
    return values;
  }
}

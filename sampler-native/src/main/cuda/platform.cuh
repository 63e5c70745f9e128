// What kernels may use beyond plain C++: thread indices, barriers, shuffles, shared memory, asynchronous copies and the tensor cores' instructions. Two
// implementations: CUDA's own here, and the emulator's (emulator/emulator.h), which runs the same kernel bodies on the CPU so that tests need no GPU.
#pragma once

#include "arithmetic.cuh"
#include "philox.cuh"

#if defined(TT_EMULATE)
#include "emulator.h"
#else

// A kernel under a plain C name, which Java looks up. THREADS is the largest block that it is launched with.
#define TT_KERNEL(NAME, THREADS, ...) extern "C" __global__ void __launch_bounds__(THREADS) NAME(__VA_ARGS__)

#define TT_DEVICE __device__ __forceinline__
#define TT_UNROLL _Pragma("unroll")
#define TT_RESTRICT __restrict__

// The block's dynamic shared memory, 16-byte aligned.
#define TT_DYNAMIC_SHARED(TYPE, NAME)       \
  extern __shared__ uint4 tt_dynamic_raw[]; \
  TYPE* NAME = reinterpret_cast<TYPE*>(tt_dynamic_raw)

namespace tt {

// What dims a launch has, named so that both implementations share the bodies.
TT_DEVICE int thread_x() { return (int)threadIdx.x; }
TT_DEVICE int block_x() { return (int)blockIdx.x; }
TT_DEVICE int block_y() { return (int)blockIdx.y; }
TT_DEVICE int block_z() { return (int)blockIdx.z; }
TT_DEVICE int threads_x() { return (int)blockDim.x; }
TT_DEVICE int blocks_x() { return (int)gridDim.x; }
TT_DEVICE int blocks_y() { return (int)gridDim.y; }

TT_DEVICE void sync_block() { __syncthreads(); }
TT_DEVICE void sync_warp() { __syncwarp(); }

// Every lane of the warp must call it.
TT_DEVICE float shuffle_xor(float value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

// 16 bytes from global to shared memory past the registers; zeros when !valid (then nothing is read).
TT_DEVICE void copy16_async(void* shared, const void* global, bool valid) {
  uint32_t to = (uint32_t)__cvta_generic_to_shared(shared);
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(global), "r"(bytes));
}
TT_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;\n" ::); }
// Waits until at most PENDING of this thread's committed groups are still under way.
template <int PENDING>
TT_DEVICE void wait_copies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(PENDING) : "memory");
}

// Four 8x8 matrices of 16-bit values; lane l gives the address of row l % 8 of matrix l / 8.
TT_DEVICE void load_matrices(uint32_t (&r)[4], const void* row) {
  uint32_t address = (uint32_t)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}
TT_DEVICE void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  uint32_t address = (uint32_t)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// d += a b, [16, 16] x [16, 8], fp32 accumulation.
template <typename T>
TT_DEVICE void multiply_accumulate(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);
template <>
TT_DEVICE void multiply_accumulate<half_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <>
TT_DEVICE void multiply_accumulate<bf16_t>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

}  // namespace tt

#endif

// One kernel per storage type: NAME_f32, NAME_f16, NAME_bf16.
#define TT_FOR_EACH_TYPE(KERNEL) \
  KERNEL(f32, float)             \
  KERNEL(f16, tt::half_t)        \
  KERNEL(bf16, tt::bf16_t)

namespace tt {

constexpr int WARP = 32;

TT_DEVICE float warp_sum(float value) {
  TT_UNROLL
  for (int mask = WARP / 2; mask > 0; mask /= 2) {
    value += shuffle_xor(value, mask);
  }
  return value;
}

TT_DEVICE float warp_max(float value) {
  TT_UNROLL
  for (int mask = WARP / 2; mask > 0; mask /= 2) {
    float other = shuffle_xor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

TT_DEVICE Moments warp_merge(Moments value) {
  TT_UNROLL
  for (int mask = WARP / 2; mask > 0; mask /= 2) {
    Moments other;
    other.count = shuffle_xor(value.count, mask);
    other.mean = shuffle_xor(value.mean, mask);
    other.m2 = shuffle_xor(value.m2, mask);
    // The lower lane's set first, on both sides: both lanes then compute the same bits.
    bool lower = (thread_x() & mask) == 0;
    value = lower ? merge(value, other) : merge(other, value);
  }
  return value;
}

}  // namespace tt

// Storage types, and conversion between them and fp32.
//
// The 16-bit types are plain bit holders of our own, the same on the host and on the device, so that everything above this file compiles with g++ alone,
// without a CUDA toolkit. On the device the conversions are single instructions; on the host they are written out. Both round to nearest even.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define TT_BOTH __host__ __device__ __forceinline__
#else
#define TT_BOTH inline
#endif

namespace tt {

struct half_t {
  uint16_t bits;
};

struct bf16_t {
  uint16_t bits;
};

TT_BOTH uint32_t float_bits(float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(x);
#else
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
#endif
}

TT_BOTH float bits_float(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
#endif
}

// ---- fp16

TT_BOTH float to_float(half_t x) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(x.bits));
#else
  uint32_t sign = (uint32_t)(x.bits & 0x8000u) << 16;
  uint32_t exponent = (x.bits >> 10) & 0x1fu;
  uint32_t mantissa = x.bits & 0x3ffu;
  if (exponent == 0x1fu) {
    return bits_float(sign | 0x7f800000u | (mantissa << 13));
  }
  if (exponent == 0) {
    // Subnormal: mantissa * 2^-24, exact in fp32.
    float value = (float)mantissa * 5.9604644775390625e-8f;
    return sign ? -value : value;
  }
  return bits_float(sign | ((exponent + 112u) << 23) | (mantissa << 13));
#endif
}

TT_BOTH half_t half_from_float(float x) {
  half_t result;
#if defined(__CUDA_ARCH__)
  result.bits = __half_as_ushort(__float2half_rn(x));
#else
  uint32_t bits = float_bits(x);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    result.bits = (uint16_t)0x7fffu;
  } else if (magnitude >= 0x477ff000u) {
    // 65520 and above round to infinity.
    result.bits = (uint16_t)(sign | 0x7c00u);
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 0.5 makes the fp32 adder round at fp16's subnormal step, 2^-24.
    float shifted = bits_float(magnitude) + 0.5f;
    result.bits = (uint16_t)(sign | (float_bits(shifted) - 0x3f000000u));
  } else {
    uint32_t odd = (magnitude >> 13) & 1u;
    result.bits = (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
  }
#endif
  return result;
}

// ---- bf16

TT_BOTH float to_float(bf16_t x) { return bits_float((uint32_t)x.bits << 16); }

TT_BOTH bf16_t bf16_from_float(float x) {
  bf16_t result;
#if defined(__CUDA_ARCH__)
  result.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x));
#else
  uint32_t bits = float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    result.bits = (uint16_t)0x7fffu;
  } else {
    result.bits = (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
#endif
  return result;
}

TT_BOTH float to_float(float x) { return x; }

template <typename T>
TT_BOTH T from_float(float x);
template <>
TT_BOTH float from_float<float>(float x) {
  return x;
}
template <>
TT_BOTH half_t from_float<half_t>(float x) {
  return half_from_float(x);
}
template <>
TT_BOTH bf16_t from_float<bf16_t>(float x) {
  return bf16_from_float(x);
}

// Two values in one register, the lower address in the lower half: what the tensor cores take.
template <typename T>
TT_BOTH uint32_t pack2(float low, float high) {
  return (uint32_t)from_float<T>(low).bits | ((uint32_t)from_float<T>(high).bits << 16);
}

// ---- 16 bytes at a time

struct alignas(16) Bytes16 {
  uint32_t word[4];
};

template <typename T>
struct Vec {
  static constexpr int N = 16 / (int)sizeof(T);
  float v[N];
};

template <typename T>
TT_BOTH Vec<T> load16(const T* from) {
  Vec<T> result;
#if defined(__CUDA_ARCH__)
  uint4 raw = *reinterpret_cast<const uint4*>(from);
  uint32_t word[4] = {raw.x, raw.y, raw.z, raw.w};
#else
  uint32_t word[4];
  memcpy(word, from, 16);
#endif
  if constexpr (sizeof(T) == 4) {
    for (int i = 0; i < 4; i++) {
      result.v[i] = bits_float(word[i]);
    }
  } else {
    for (int i = 0; i < 4; i++) {
      T low, high;
      low.bits = (uint16_t)(word[i] & 0xffffu);
      high.bits = (uint16_t)(word[i] >> 16);
      result.v[2 * i] = to_float(low);
      result.v[2 * i + 1] = to_float(high);
    }
  }
  return result;
}

template <typename T>
TT_BOTH void store16(T* to, const Vec<T>& value) {
  uint32_t word[4];
  if constexpr (sizeof(T) == 4) {
    for (int i = 0; i < 4; i++) {
      word[i] = float_bits(value.v[i]);
    }
  } else {
    for (int i = 0; i < 4; i++) {
      word[i] = pack2<T>(value.v[2 * i], value.v[2 * i + 1]);
    }
  }
#if defined(__CUDA_ARCH__)
  *reinterpret_cast<uint4*>(to) = make_uint4(word[0], word[1], word[2], word[3]);
#else
  memcpy(to, word, 16);
#endif
}

}  // namespace tt

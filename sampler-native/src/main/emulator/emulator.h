// CUDA's execution model on one CPU thread, for tests: every CUDA thread of a block is a fiber, blocks run one after another. Included instead of CUDA's
// own intrinsics by platform.cuh.
//
// A fiber runs until it waits at a barrier (block, warp, or a warp-wide instruction), then the next one runs. So a missing barrier shows: the results differ
// between the forward and the backward order of fibers (emulator::set_order). A barrier that not all live threads of a block or warp reach is reported as
// a deadlock. Dynamic shared memory is filled with NaN before each block. The tensor-core instructions follow the fragment layouts of the PTX ISA
// (mma.m16n8k16, ldmatrix). Asynchronous copies happen when they are waited for, not before, so a missing wait shows as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arithmetic.cuh"

#define TT_KERNEL(NAME, THREADS, ...)                                               \
  static void NAME(__VA_ARGS__);                                                    \
  static const emulator::Registration tt_registration_##NAME(#NAME, THREADS, &NAME); \
  static void NAME(__VA_ARGS__)
#define TT_DEVICE inline
#define TT_UNROLL
#define TT_RESTRICT __restrict__
// Blocks run one after another, so a static array serves as the block's shared memory.
#define __shared__ static
#define TT_DYNAMIC_SHARED(TYPE, NAME) TYPE* NAME = reinterpret_cast<TYPE*>(emulator::dynamic_shared())

namespace emulator {

struct Dim {
  int x, y, z;
};

// Where the running fiber is.
struct Place {
  int thread;
  int threads;
  Dim block;
  Dim grid;
};

const Place& place();
void* dynamic_shared();
void wait_block();
void wait_warp();
// Scratch that the lanes of the running fiber's warp share: 64 words each.
uint64_t* warp_scratch(int lane);

// A copy to shared memory that was begun and not yet waited for; groups are numbered from 0 by fiber.
struct Copy {
  void* to;
  const void* from;
  int group;
};

struct Copies {
  std::vector<Copy> pending;
  int groups;
};

// Those of the running fiber.
Copies& copies();

// Order in which the fibers of a block are run: 0 forward, 1 backward.
void set_order(int order);

using Invoker = void (*)(void (*function)(), void** arguments);

struct Kernel {
  void (*function)();
  Invoker invoke;
  int threads;
  // Bytes of each parameter.
  std::vector<size_t> parameters;
};

std::map<std::string, Kernel>& kernels();

// 0, or CUDA's code: 1 invalid value (unknown geometry), 719 when the block deadlocked.
int launch(const Kernel& kernel, Dim grid, int threads, size_t shared_bytes, void** arguments);

template <typename... A, size_t... I>
void invoke_with(void (*function)(A...), void** arguments, std::index_sequence<I...>) {
  (void)arguments;
  function(*reinterpret_cast<A*>(arguments[I])...);
}

template <typename... A>
struct Invoke {
  static void call(void (*function)(), void** arguments) {
    invoke_with(reinterpret_cast<void (*)(A...)>(function), arguments, std::index_sequence_for<A...>{});
  }
};

struct Registration {
  template <typename... A>
  Registration(const char* name, int threads, void (*function)(A...)) {
    kernels()[name] = Kernel{reinterpret_cast<void (*)()>(function), &Invoke<A...>::call, threads, {sizeof(A)...}};
  }
};

}  // namespace emulator

namespace tt {

inline int thread_x() { return emulator::place().thread; }
inline int block_x() { return emulator::place().block.x; }
inline int block_y() { return emulator::place().block.y; }
inline int block_z() { return emulator::place().block.z; }
inline int threads_x() { return emulator::place().threads; }
inline int blocks_x() { return emulator::place().grid.x; }
inline int blocks_y() { return emulator::place().grid.y; }

inline void sync_block() { emulator::wait_block(); }
inline void sync_warp() { emulator::wait_warp(); }

inline float shuffle_xor(float value, int mask) {
  int lane = thread_x() % 32;
  memcpy(emulator::warp_scratch(lane), &value, sizeof value);
  emulator::wait_warp();
  float result;
  memcpy(&result, emulator::warp_scratch(lane ^ mask), sizeof result);
  emulator::wait_warp();
  return result;
}

inline void copy16_async(void* shared, const void* global, bool valid) {
  emulator::Copies& copies = emulator::copies();
  copies.pending.push_back(emulator::Copy{shared, valid ? global : nullptr, copies.groups});
}
inline void commit_copies() { emulator::copies().groups++; }
template <int PENDING>
inline void wait_copies() {
  emulator::Copies& copies = emulator::copies();
  std::vector<emulator::Copy> later;
  for (const emulator::Copy& copy : copies.pending) {
    if (copy.group >= copies.groups - PENDING) {
      later.push_back(copy);
    } else if (copy.from != nullptr) {
      memcpy(copy.to, copy.from, 16);
    } else {
      memset(copy.to, 0, 16);
    }
  }
  copies.pending.swap(later);
}

// Every lane publishes its row's address, then gathers its elements.
inline void load_matrices_as(uint32_t (&r)[4], const void* row, bool transposed) {
  int lane = thread_x() % 32;
  memcpy(emulator::warp_scratch(lane), &row, sizeof row);
  emulator::wait_warp();
  for (int matrix = 0; matrix < 4; matrix++) {
    uint32_t pair = 0;
    for (int half = 0; half < 2; half++) {
      int i = lane / 4;
      int j = 2 * (lane % 4) + half;
      int from_row = transposed ? j : i;
      int from_column = transposed ? i : j;
      const uint16_t* values;
      memcpy(&values, emulator::warp_scratch(8 * matrix + from_row), sizeof values);
      pair |= (uint32_t)values[from_column] << (16 * half);
    }
    r[matrix] = pair;
  }
  emulator::wait_warp();
}
inline void load_matrices(uint32_t (&r)[4], const void* row) { load_matrices_as(r, row, false); }
inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) { load_matrices_as(r, row, true); }

template <typename T>
inline void multiply_accumulate(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  int lane = thread_x() % 32;
  uint32_t words[6] = {a[0], a[1], a[2], a[3], b0, b1};
  memcpy(emulator::warp_scratch(lane), words, sizeof words);
  emulator::wait_warp();
  auto element = [](int lane, int word, int half) {
    uint32_t packed;
    memcpy(&packed, reinterpret_cast<const char*>(emulator::warp_scratch(lane)) + 4 * word, 4);
    T value;
    value.bits = (uint16_t)(packed >> (16 * half));
    return to_float(value);
  };
  for (int i = 0; i < 4; i++) {
    int row = lane / 4 + (i >= 2 ? 8 : 0);
    int column = 2 * (lane % 4) + i % 2;
    float sum = d[i];
    for (int k = 0; k < 16; k++) {
      // A: register 0 rows 0-7 k 0-7, 1 rows 8-15 k 0-7, 2 rows 0-7 k 8-15, 3 rows 8-15 k 8-15.
      int a_word = (row >= 8 ? 1 : 0) + (k >= 8 ? 2 : 0);
      float a_value = element(4 * (row % 8) + (k % 8) / 2, a_word, k % 2);
      // B: register 0 k 0-7, 1 k 8-15; the lane's group is the column.
      float b_value = element(4 * column + (k % 8) / 2, 4 + (k >= 8 ? 1 : 0), k % 2);
      sum += a_value * b_value;
    }
    d[i] = sum;
  }
  emulator::wait_warp();
}

}  // namespace tt

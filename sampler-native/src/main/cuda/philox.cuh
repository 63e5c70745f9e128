// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") and Box-Muller: normal noise as a pure function of seed, stream and
// element, the same as dev.tintype.sampler.ops.PhiloxNormal in Java.
#pragma once

#include "types.cuh"

namespace tt {

struct PhiloxBlock {
  uint32_t word[4];
};

TT_BOTH uint32_t multiply_high(uint32_t a, uint32_t b) { return (uint32_t)(((uint64_t)a * b) >> 32); }

TT_BOTH PhiloxBlock philox_4x32_10(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    uint32_t high0 = multiply_high(0xD2511F53u, counter.word[0]);
    uint32_t low0 = 0xD2511F53u * counter.word[0];
    uint32_t high1 = multiply_high(0xCD9E8D57u, counter.word[2]);
    uint32_t low1 = 0xCD9E8D57u * counter.word[2];
    counter.word[0] = high1 ^ counter.word[1] ^ key0;
    counter.word[1] = low1;
    counter.word[2] = high0 ^ counter.word[3] ^ key1;
    counter.word[3] = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// Of two words, strictly between 0 and 1.
TT_BOTH double philox_uniform(uint32_t high, uint32_t low) {
  uint64_t bits = (uint64_t)high << 32 | low;
  return ((double)(bits >> 12) + 0.5) * 2.220446049250313e-16;
}

struct NormalPair {
  float even;
  float odd;
};

// Elements 2 pair and 2 pair + 1 of a stream. Key: the seed; counter: pair, then stream. In double and rounded at the end, so that the last bit seldom
// depends on whose logarithm and sine it was.
TT_BOTH NormalPair philox_normal(uint64_t seed, uint64_t stream, uint64_t pair) {
  PhiloxBlock counter{{(uint32_t)pair, (uint32_t)(pair >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  PhiloxBlock words = philox_4x32_10(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
  double radius = sqrt(-2.0 * log(philox_uniform(words.word[0], words.word[1])));
  double angle = 6.283185307179586477 * philox_uniform(words.word[2], words.word[3]);
  NormalPair result;
  result.even = (float)(radius * cos(angle));
  result.odd = (float)(radius * sin(angle));
  return result;
}

}  // namespace tt

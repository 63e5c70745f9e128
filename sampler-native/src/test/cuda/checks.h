// The smallest of test frameworks: counts checks, prints the failures.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace checks {

inline int passed = 0;
inline int failed = 0;

inline void that(bool holds, const char* what, double got, double expected) {
  if (holds) {
    passed++;
  } else {
    failed++;
    if (failed <= 40) {
      printf("FAIL %s: got %.9g, expected %.9g\n", what, got, expected);
    }
  }
}

// |got - expected| <= relative |expected| + absolute; NaN passes nothing.
inline void near(const char* what, double got, double expected, double relative, double absolute) {
  bool same = std::isinf(expected) ? got == expected : std::fabs(got - expected) <= relative * std::fabs(expected) + absolute;
  that(same, what, got, expected);
}

inline void equal(const char* what, double got, double expected) { that(got == expected, what, got, expected); }

// The exit code, after the line that a build log shows.
inline int summary(const char* name) {
  printf("%s: %d passed, %d failed\n", name, passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

// Uniform in (-1, 1), from a seed: xorshift64*.
struct Random {
  uint64_t state;
  explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ull + 1) {}
  double next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(int64_t)(state * 0x2545F4914F6CDD1Dull) * (1.0 / 9223372036854775808.0);
  }
};

}  // namespace checks

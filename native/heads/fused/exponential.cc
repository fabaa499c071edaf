#include "heads/fused/exponential.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

// The addon is built for the oldest processor of its platform, where at::vec falls back to scalar calls; these loops
// are compiled for newer ones too and chosen when the addon is loaded.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define FACEX_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define FACEX_CLONES
#endif

namespace facex::heads::fused {

namespace {

// exp(x) for x <= 0: 2^k * e^r with |r| <= ln2 / 2 and e^r by its Taylor polynomial of degree 7. Below the smallest
// normal number the result is 0, which is what softmax wants of it.
inline float exp_nonpositive(float x) {
  constexpr float kLowest = -87.0f, kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low mantissa bits
  const float clamped = x < kLowest ? kLowest : x;
  const float shifted = clamped * kLog2e + kRound;
  const float k = shifted - kRound;
  const float r = (clamped - k * kLn2High) - k * kLn2Low;
  float power = 1.0f / 5040;
  power = power * r + 1.0f / 720;
  power = power * r + 1.0f / 120;
  power = power * r + 1.0f / 24;
  power = power * r + 1.0f / 6;
  power = power * r + 0.5f;
  power = power * r + 1.0f;
  power = power * r + 1.0f;
  const int32_t exponent = static_cast<int32_t>(k) + 127;
  const float result = power * std::bit_cast<float>(exponent << 23);
  return x < kLowest ? 0.0f : result;
}

template <typename T>
inline T maximum_of(const T* x, int64_t n) {
  T best = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

}  // namespace

FACEX_CLONES float maximum(const float* x, int64_t n) { return maximum_of(x, n); }

double maximum(const double* x, int64_t n) { return maximum_of(x, n); }

FACEX_CLONES float exp_shifted(float* x, int64_t n, float shift) {
  constexpr int64_t kLanes = 16;  // independent sums: fixed in number, so that every clone adds in the same order
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      x[i + lane] = exp_nonpositive(x[i + lane] - shift);
      sums[lane] += x[i + lane];
    }
  }
  float total = 0;
  for (; i < n; ++i) total += x[i] = exp_nonpositive(x[i] - shift);
  for (const float sum : sums) total += sum;
  return total;
}

double exp_shifted(double* x, int64_t n, double shift) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += x[i] = std::exp(x[i] - shift);
  return total;
}

}  // namespace facex::heads::fused

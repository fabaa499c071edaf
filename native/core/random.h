// Counter-based random numbers: a stream is a pure function of its keys, so that sample 17 of epoch 3 draws the same
// numbers on any thread and after any resume. SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", OOPSLA 2014), the keys folded in one by one by its finaliser.
#pragma once

#include <cmath>
#include <cstdint>

namespace facex {

class Random {
 public:
  // Streams that differ in any key are independent for our purposes; key order matters.
  explicit Random(uint64_t seed, uint64_t key0 = 0, uint64_t key1 = 0)
      : state_(mix(mix(mix(seed + kGolden) + key0 + kGolden) + key1 + kGolden)) {}

  uint64_t next() { return mix(state_ += kGolden); }
  // In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // In [0, n), n > 0; the bias of the multiply is below n / 2^32.
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(((next() >> 32) * n) >> 32); }
  // Integer in [low, high], both ends included.
  int between(int low, int high) { return low + static_cast<int>(below(static_cast<uint32_t>(high - low + 1))); }
  // Standard normal, Box-Muller without keeping the second value: a stream then has no hidden state.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ull;
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

}  // namespace facex

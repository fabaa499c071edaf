// Storage types of the inner loops and the type they compute in. Plain C++ without library headers: these files are
// compiled for several instruction sets, and no inline function of theirs may reach code for another one.
#pragma once

#include <bit>
#include <cstdint>

namespace facex::engine::loops {

// bfloat16 as it lies in memory.
struct Bf16 {
  uint16_t bits;
};

template <typename T>
struct WideOf {
  using type = T;
};
template <>
struct WideOf<Bf16> {
  using type = float;
};
// What sums, statistics and coefficients of T are kept in.
template <typename T>
using Wide = typename WideOf<T>::type;

namespace {

[[gnu::always_inline]] inline float widen(float value) { return value; }
[[gnu::always_inline]] inline double widen(double value) { return value; }
[[gnu::always_inline]] inline float widen(Bf16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

[[gnu::always_inline]] inline void narrow(float value, float& to) { to = value; }
[[gnu::always_inline]] inline void narrow(double value, double& to) { to = value; }
// Round to nearest even; NaN stays NaN.
[[gnu::always_inline]] inline void narrow(float value, Bf16& to) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  to.bits = static_cast<uint16_t>(value != value ? 0x7FC0u : rounded);
}

}  // namespace

}  // namespace facex::engine::loops

// bfloat16 as the stand-in of the CUDA runtime has it.
#pragma once

#include <bit>
#include <cstdint>

struct __nv_bfloat16 {
  uint16_t bits;

  __nv_bfloat16() = default;
  // To the nearest, ties to even.
  explicit __nv_bfloat16(float value) {
    const auto all = std::bit_cast<uint32_t>(value);
    bits = static_cast<uint16_t>((all + 0x7FFF + ((all >> 16) & 1)) >> 16);
  }
  explicit __nv_bfloat16(double value) : __nv_bfloat16(static_cast<float>(value)) {}
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

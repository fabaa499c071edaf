// Random numbers that depend on a seed and a name only, never on the order in which things are made.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <string_view>

namespace facex::heads {

inline at::Generator named_generator(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325u ^ (seed * 0x9E3779B97F4A7C15u);  // FNV-1a, 64 bit, started from the seed
  for (const unsigned char byte : name) hash = (hash ^ byte) * 0x100000001B3u;
  return at::make_generator<at::CPUGeneratorImpl>(hash);
}

}  // namespace facex::heads

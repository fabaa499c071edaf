// Inner loops of a matrix product for AVX-512: a tile of the result from panels that were packed for it. Plain C++ without
// library headers, like all loops.
#pragma once

#include <cstdint>

namespace facex::loops {

// Of a tile, whose sums fill the registers but for those of the operands.
inline constexpr int64_t kTileRows = 14, kTileColumns = 32;

namespace avx512 {

// to[r * pitch + c] = sum over k < depth of left[k * kTileRows + r] * right[k * kTileColumns + c], added to what is there
// where `add` says so.
void tile(const float* left, const float* right, int64_t depth, float* to, int64_t pitch, bool add);

// The same for the first half of the columns, with half the work.
void half_tile(const float* left, const float* right, int64_t depth, float* to, int64_t pitch, bool add);

// to[k * width + r] = from[r * pitch + k] for r < rows and k < depth.
void panel(const float* from, int64_t pitch, int64_t rows, int64_t depth, int64_t width, float* to);

}  // namespace avx512

}  // namespace facex::loops

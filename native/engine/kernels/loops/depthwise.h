// Inner loops of depthwise convolution over pixels of channels. Every loop works on a tile of kTile neighbouring output
// pixels that share their taps, so that a pixel which several of them read is loaded once. Pixels are given by address;
// those outside the image point at zeros, so that borders need no code of their own.
#pragma once

#include <cstdint>

#include "engine/kernels/loops/number.h"

namespace facex::engine::loops {

inline constexpr int kDepthwiseTile = 4;
// Most taps in one direction, and most columns that a tile reads: (kDepthwiseTile - 1) * 2 + 5.
inline constexpr int kDepthwiseTaps = 5;
inline constexpr int kDepthwiseColumns = 11;

template <typename T>
struct DepthwiseTile {
  int64_t channels;
  const T* pixels[kDepthwiseTaps][kDepthwiseColumns];  // row and column of what the tile reads
  T* results[kDepthwiseTile];                          // where outputs go; may repeat an address that nobody reads
};

template <typename T>
struct DepthwiseLoops {
  // results[j] = sum over taps (r, c) of pixels[r][j * stride + c] * weights[(r * columns + c) * channels]
  using Correlate = void (*)(const DepthwiseTile<T>& tile, const Wide<T>* weights);
  // weights[(r * columns + c) * channels] += sum over j of pixels[r][j * stride + c] * grads[j]
  using Gather = void (*)(const DepthwiseTile<T>& tile, const T* const* grads, Wide<T>* weights);

  // nullptr where there is no loop for such taps.
  Correlate (*correlate)(int64_t rows, int64_t columns, int64_t stride);
  Gather (*gather)(int64_t rows, int64_t columns, int64_t stride);
};

// The loops for the best instruction set of this machine; T is float, double or Bf16.
template <typename T>
const DepthwiseLoops<T>& depthwise_loops();

}  // namespace facex::engine::loops

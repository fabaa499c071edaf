#include "engine/kernels/loops/depthwise.h"

#include "engine/kernels/loops/isa.h"

namespace facex::engine::loops {

namespace {

constexpr int kTile = kDepthwiseTile;

template <int rows, int columns, int stride, typename T>
void correlate(const DepthwiseTile<T>& tile, const Wide<T>* weights) {
  const int64_t channels = tile.channels;
#pragma GCC ivdep
  for (int64_t c = 0; c < channels; ++c) {
    Wide<T> sum[kTile] = {};
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) {
#pragma GCC unroll 8
      for (int column = 0; column < columns; ++column) {
        const Wide<T> weight = weights[(row * columns + column) * channels + c];
#pragma GCC unroll 8
        for (int j = 0; j < kTile; ++j) sum[j] += widen(tile.pixels[row][j * stride + column][c]) * weight;
      }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) narrow(sum[j], tile.results[j][c]);
  }
}

template <int rows, int columns, int stride, typename T>
void gather(const DepthwiseTile<T>& tile, const T* const* grads, Wide<T>* weights) {
  const int64_t channels = tile.channels;
#pragma GCC ivdep
  for (int64_t c = 0; c < channels; ++c) {
    Wide<T> grad[kTile];
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) grad[j] = widen(grads[j][c]);
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row) {
#pragma GCC unroll 8
      for (int column = 0; column < columns; ++column) {
        Wide<T> sum = weights[(row * columns + column) * channels + c];
#pragma GCC unroll 8
        for (int j = 0; j < kTile; ++j) sum += widen(tile.pixels[row][j * stride + column][c]) * grad[j];
        weights[(row * columns + column) * channels + c] = sum;
      }
    }
  }
}

// The taps of 3 x 3 and 5 x 5 kernels, and the parts of them that meet one parity of pixels on the way back from stride 2.
#define FACEX_TAPS(loop)                                        \
  switch ((rows * 10 + columns) * 10 + stride) {                \
    case 331: return loop<3, 3, 1, T>;                          \
    case 332: return loop<3, 3, 2, T>;                          \
    case 551: return loop<5, 5, 1, T>;                          \
    case 552: return loop<5, 5, 2, T>;                          \
    case 111: return loop<1, 1, 1, T>;                          \
    case 121: return loop<1, 2, 1, T>;                          \
    case 211: return loop<2, 1, 1, T>;                          \
    case 221: return loop<2, 2, 1, T>;                          \
    case 231: return loop<2, 3, 1, T>;                          \
    case 321: return loop<3, 2, 1, T>;                          \
    default: return nullptr;                                    \
  }

template <typename T>
typename DepthwiseLoops<T>::Correlate choose_correlate(int64_t rows, int64_t columns, int64_t stride) {
  FACEX_TAPS(correlate)
}

template <typename T>
typename DepthwiseLoops<T>::Gather choose_gather(int64_t rows, int64_t columns, int64_t stride) {
  FACEX_TAPS(gather)
}

#undef FACEX_TAPS

template <typename T>
constexpr DepthwiseLoops<T> kLoops = {choose_correlate<T>, choose_gather<T>};

}  // namespace

namespace FACEX_ISA {

const DepthwiseLoops<float>& depthwise_float() { return kLoops<float>; }
const DepthwiseLoops<double>& depthwise_double() { return kLoops<double>; }
const DepthwiseLoops<Bf16>& depthwise_bf16() { return kLoops<Bf16>; }

}  // namespace FACEX_ISA

}  // namespace facex::engine::loops

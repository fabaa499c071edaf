#include "core/loops/product.h"

#ifdef __AVX512F__

namespace facex::loops {

namespace {

constexpr int kRows = kTileRows, kLanes = 16, kColumns = kTileColumns;

typedef float Vector __attribute__((vector_size(4 * kLanes)));

template <typename V>
[[gnu::always_inline]] inline V load(const float* from) {
  V values;
  __builtin_memcpy(&values, from, sizeof(V));
  return values;
}
template <typename V>
[[gnu::always_inline]] inline void store(V values, float* to) {
  __builtin_memcpy(to, &values, sizeof(V));
}

template <int vectors>
void columns(const float* __restrict left, const float* __restrict right, int64_t depth, float* __restrict to, int64_t pitch, bool add) {
  Vector sums[kRows][vectors] = {};
  for (int64_t k = 0; k < depth; ++k, left += kRows, right += kColumns) {
    Vector terms[vectors];
    for (int v = 0; v < vectors; ++v) terms[v] = load<Vector>(right + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sums[r][v] += left[r] * terms[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r, to += pitch) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      float* result = to + v * kLanes;
      store(add ? load<Vector>(result) + sums[r][v] : sums[r][v], result);
    }
  }
}

#if __has_builtin(__builtin_shufflevector)
typedef float Four __attribute__((vector_size(16)));

// to[k * width + r] = from[r * pitch + k] for four of each.
void turn(const float* __restrict from, int64_t pitch, float* __restrict to, int64_t width) {
  const auto row = [&](int64_t r) { return load<Four>(from + r * pitch); };
  const Four a = row(0), b = row(1), c = row(2), d = row(3);
  const Four low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const auto put = [&](int64_t k, Four values) { store(values, to + k * width); };
  put(0, __builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5));
  put(1, __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7));
  put(2, __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5));
  put(3, __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7));
}
#else
void turn(const float* __restrict from, int64_t pitch, float* __restrict to, int64_t width) {
  for (int64_t r = 0; r < 4; ++r) {
    for (int64_t k = 0; k < 4; ++k) to[k * width + r] = from[r * pitch + k];
  }
}
#endif

}  // namespace

namespace avx512 {

void tile(const float* left, const float* right, int64_t depth, float* to, int64_t pitch, bool add) { columns<2>(left, right, depth, to, pitch, add); }
void half_tile(const float* left, const float* right, int64_t depth, float* to, int64_t pitch, bool add) { columns<1>(left, right, depth, to, pitch, add); }

void panel(const float* from, int64_t pitch, int64_t rows, int64_t depth, int64_t width, float* to) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    int64_t k = 0;
    for (; k + 4 <= depth; k += 4) turn(from + r * pitch + k, pitch, to + k * width + r, width);
    for (; k < depth; ++k) {
      for (int64_t i = r; i < r + 4; ++i) to[k * width + i] = from[i * pitch + k];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t k = 0; k < depth; ++k) to[k * width + r] = from[r * pitch + k];
  }
}

}  // namespace avx512

}  // namespace facex::loops

#endif

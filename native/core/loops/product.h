// Inner loop of a matrix product: a tile of the result from panels that were packed for it. Plain C++ without library
// headers, compiled for several instruction sets like all loops.
#pragma once

#include <cstdint>

namespace facex::loops {

struct ProductLoops {
  int64_t rows, columns;  // of a tile
  // to[r * pitch + c] = sum over k < depth of left[k * rows + r] * right[k * columns + c], added to what is there where
  // `add` says so.
  using Tile = void (*)(const float* left, const float* right, int64_t depth, float* to, int64_t pitch, bool add);
  Tile tile;
  // The same for the first half of the columns, with half the work.
  Tile half_tile;
  // to[k * width + r] = from[r * pitch + k] for r < rows and k < depth.
  void (*panel)(const float* from, int64_t pitch, int64_t rows, int64_t depth, int64_t width, float* to);
};

namespace base {
const ProductLoops& product();
}
namespace avx2 {
const ProductLoops& product();
}
namespace avx512 {
const ProductLoops& product();
}

}  // namespace facex::loops

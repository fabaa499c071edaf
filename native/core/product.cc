#include "core/product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <vector>

#include "core/isa.h"
#include "core/loops/product.h"

namespace facex {

#ifdef FACEX_X86

namespace {

using loops::kTileColumns, loops::kTileRows;

// Of the sum, at a time: a panel of each operand stays in the first cache, a block of them in the second.
constexpr int64_t kDepth = 256;
constexpr int64_t kMostRows = 224, kMostColumns = 512;
constexpr int64_t kSmallest = 16;  // rows, columns or terms that are worth packing

int64_t parts(int64_t whole, int64_t size) { return (whole + size - 1) / size; }
int64_t round_up(int64_t value, int64_t unit) { return parts(value, unit) * unit; }

struct Matrix {
  explicit Matrix(const Tensor& tensor) : data(tensor.const_data_ptr<float>()), row(tensor.stride(0)), column(tensor.stride(1)) {}
  Matrix(const float* data, int64_t row, int64_t column) : data(data), row(row), column(column) {}
  Matrix from(int64_t r, int64_t c) const { return {data + r * row + c * column, row, column}; }
  Matrix transposed() const { return {data, column, row}; }
  const float* data;
  int64_t row, column;  // strides
};

// Rows of `from` [count, depth] as panels [depth][width], the last one filled up with zeros.
void pack(const Matrix& from, int64_t count, int64_t depth, int64_t width, float* to) {
  for (int64_t first = 0; first < count; first += width, to += depth * width) {
    const int64_t some = std::min(width, count - first);
    const Matrix panel = from.from(first, 0);
    if (some < width) std::fill(to, to + depth * width, 0.0f);
    if (panel.row == 1) {
      for (int64_t k = 0; k < depth; ++k) std::copy_n(panel.data + k * panel.column, some, to + k * width);
    } else {
      loops::avx512::panel(panel.data, panel.row, some, depth, width, to);
    }
  }
}

// One block of the result, by one thread.
class Block {
 public:
  Block(const Matrix& left, const Matrix& right, int64_t depth, float* to, int64_t pitch, bool add)
      : left_(left), right_(right), depth_(depth), to_(to), pitch_(pitch), add_(add) {}

  void run(int64_t first_row, int64_t rows, int64_t first_column, int64_t columns) const {
    thread_local std::vector<float> left, right;
    left.resize(static_cast<size_t>(round_up(kMostRows, kTileRows) * kDepth));
    right.resize(static_cast<size_t>(round_up(kMostColumns, kTileColumns) * kDepth));
    for (int64_t k = 0; k < depth_; k += kDepth) {
      const int64_t depth = std::min(kDepth, depth_ - k);
      pack(left_.from(first_row, k), rows, depth, kTileRows, left.data());
      pack(right_.from(k, first_column).transposed(), columns, depth, kTileColumns, right.data());
      for (int64_t c = 0; c < columns; c += kTileColumns) {
        for (int64_t r = 0; r < rows; r += kTileRows) {
          tile(left.data() + r * depth, right.data() + c * depth, depth, to_ + (first_row + r) * pitch_ + first_column + c, std::min(kTileRows, rows - r),
               std::min(kTileColumns, columns - c), add_ || k > 0);
        }
      }
    }
  }

 private:
  // Where the result ends inside of a tile, through a whole one beside it.
  void tile(const float* left, const float* right, int64_t depth, float* to, int64_t rows, int64_t columns, bool add) const {
    if (rows == kTileRows && columns == kTileColumns) return loops::avx512::tile(left, right, depth, to, pitch_, add);
    float whole[kTileRows * kTileColumns];
    (columns > kTileColumns / 2 ? loops::avx512::tile : loops::avx512::half_tile)(left, right, depth, whole, kTileColumns, false);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[r * pitch_ + c] = whole[r * kTileColumns + c] + (add ? to[r * pitch_ + c] : 0.0f);
    }
  }

  Matrix left_, right_;
  int64_t depth_;
  float* to_;
  int64_t pitch_;
  bool add_;
};

// Long sums are taken in pieces whose number follows from the shape alone.
constexpr int64_t kLong = 4096, kMostPieces = 16;

struct Piece {
  int64_t first, depth;
};

std::vector<Piece> pieces_of(int64_t rows, int64_t depth, int64_t columns) {
  const bool few = rows <= kMostRows && columns <= kMostColumns;
  const int64_t count = few ? std::clamp<int64_t>(depth / kLong, 1, kMostPieces) : 1;
  const int64_t size = round_up(parts(depth, count), kDepth);
  std::vector<Piece> pieces;
  for (int64_t first = 0; first < depth; first += size) pieces.push_back({first, std::min(size, depth - first)});
  return pieces;
}

// Blocks of the result: several for each thread where it is large enough.
void multiply(const Tensor& left, const Tensor& right, const Tensor& to, bool add) {
  const int64_t rows = left.size(0), columns = right.size(1), wanted = 4 * at::get_num_threads();
  const int64_t block_rows = std::min(rows, kMostRows);
  const int64_t row_blocks = parts(rows, block_rows);
  const int64_t block_columns = std::clamp<int64_t>(round_up(parts(columns, parts(wanted, row_blocks)), 64), 64, kMostColumns);
  const int64_t column_blocks = parts(columns, block_columns);
  const Block block(Matrix(left), Matrix(right), left.size(1), to.mutable_data_ptr<float>(), to.stride(0), add);
  at::parallel_for(0, row_blocks * column_blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / column_blocks * block_rows, column = i % column_blocks * block_columns;
      block.run(row, std::min(block_rows, rows - row), column, std::min(block_columns, columns - column));
    }
  });
}

// A small result of a long sum: threads share the sum.
void multiply_pieces(const Tensor& left, const Tensor& right, const Tensor& to, bool add, const std::vector<Piece>& pieces) {
  const int64_t rows = left.size(0), columns = right.size(1), count = static_cast<int64_t>(pieces.size());
  const Tensor partial = at::empty({count, rows, columns}, to.options());
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto [first, depth] = pieces[static_cast<size_t>(i)];
      const Block block(Matrix(left.narrow(1, first, depth)), Matrix(right.narrow(0, first, depth)), depth, partial.mutable_data_ptr<float>() + i * rows * columns, columns, false);
      block.run(0, rows, 0, columns);
    }
  });
  const Tensor sum = partial.sum(0);
  if (add) {
    to.add_(sum);
  } else {
    to.copy_(sum);
  }
}

// Operands that are worth packing, where our loops are faster than MKL.
bool is_ours(const Tensor& left, const Tensor& right, const Tensor& to) {
  static const bool outruns_mkl = isa() == Isa::kAvx512 && !__builtin_cpu_is("intel");
  const auto fits = [](const Tensor& each) { return each.is_cpu() && each.scalar_type() == at::kFloat && (each.stride(0) == 1 || each.stride(1) == 1); };
  return outruns_mkl && fits(left) && fits(right) && fits(to) && to.stride(1) == 1 && std::min({left.size(0), left.size(1), right.size(1)}) >= kSmallest;
}

}  // namespace

#endif

void product(const Tensor& left, const Tensor& right, const Tensor& to, bool add) {
#ifdef FACEX_X86
  if (is_ours(left, right, to)) {
    const std::vector<Piece> pieces = pieces_of(left.size(0), left.size(1), right.size(1));
    return pieces.size() == 1 ? multiply(left, right, to, add) : multiply_pieces(left, right, to, add, pieces);
  }
#endif
  Tensor result = to;
  if (add) {
    at::addmm_out(result, result, left, right);
  } else {
    at::mm_out(result, left, right);
  }
}

Tensor product(const Tensor& left, const Tensor& right) {
  const Tensor to = at::empty({left.size(0), right.size(1)}, left.options().memory_format(at::MemoryFormat::Contiguous));
  product(left, right, to);
  return to;
}

}  // namespace facex

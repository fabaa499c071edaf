#include "engine/kernels/loops/affine_act.h"

#include "engine/kernels/loops/activations.h"
#include "engine/kernels/loops/isa.h"

namespace facex::engine::loops {

namespace {

// Sums go through kTile rows at a time, so that an accumulator is loaded and stored once for all of them.
constexpr int64_t kTile = 8;

// Unrolled over so many rows, activations with an exponential no longer vectorise; for them the accumulators cost little.
template <typename Act>
constexpr int64_t kTileOf = std::is_same_v<Act, Sigmoid> || std::is_same_v<Act, Silu> ? 1 : kTile;

template <int64_t tile, typename T>
void add_moments(const T* __restrict x, int64_t channels, const Wide<T>* __restrict origin, Wide<T>* __restrict sum, Wide<T>* __restrict squares) {
  for (int64_t c = 0; c < channels; ++c) {
    Wide<T> first = sum[c], second = squares[c];
    for (int64_t r = 0; r < tile; ++r) {
      const Wide<T> distance = widen(x[r * channels + c]) - origin[c];
      first += distance;
      second += distance * distance;
    }
    sum[c] = first;
    squares[c] = second;
  }
}

// Distances from the first row keep the squares small where the mean is large against the deviation.
template <typename T>
void moments(const T* x, int64_t channels, int64_t begin, int64_t end, Wide<T>* mean, Wide<T>* squares, Wide<T>* scratch) {
  x += begin * channels;
  for (int64_t c = 0; c < channels; ++c) {
    scratch[c] = widen(x[c]);
    mean[c] = squares[c] = 0;
  }
  int64_t row = 0;
  const int64_t rows = end - begin;
  for (; row + kTile <= rows; row += kTile) add_moments<kTile>(x + row * channels, channels, scratch, mean, squares);
  for (; row < rows; ++row) add_moments<1>(x + row * channels, channels, scratch, mean, squares);
  for (int64_t c = 0; c < channels; ++c) {
    const Wide<T> shift = mean[c] / static_cast<Wide<T>>(rows);
    squares[c] -= mean[c] * shift;
    if (squares[c] < 0) squares[c] = 0;
    mean[c] = scratch[c] + shift;
  }
}

template <typename T>
[[gnu::always_inline]] inline Wide<T> centred(const AffineAct<T>& op, int64_t at, int64_t c) {
  return widen(op.x[at]) - op.mean[c];
}

template <typename Act, bool shortcut, typename T>
void apply_row(const AffineAct<T> op, T* y, int64_t row) {
  const int64_t start = row * op.channels;
  // y may lie over x: each element is read before it is written, so iterations stay independent.
#pragma GCC ivdep
  for (int64_t c = 0; c < op.channels; ++c) {
    Wide<T> z = centred(op, start + c, c) * op.scale[c] + op.shift[c];
    if constexpr (shortcut) z += widen(op.residual[start + c]);
    Wide<T> slope = 0;
    if constexpr (std::is_same_v<Act, PRelu>) slope = op.slope[c];
    narrow(Act::value(z, slope), y[start + c]);
  }
}

template <typename Act, typename T>
void apply(const AffineAct<T>& op, T* y, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    if (op.residual == nullptr) {
      apply_row<Act, false>(op, y, row);
    } else {
      apply_row<Act, true>(op, y, row);
    }
  }
}

template <typename Act, bool shortcut, int64_t tile, typename T>
void add_sums(const AffineAct<T> op, const T* __restrict grad, int64_t row, Wide<T>* __restrict sum, Wide<T>* __restrict product, Wide<T>* __restrict slope_sum) {
  for (int64_t c = 0; c < op.channels; ++c) {
    Wide<T> first = sum[c], second = product[c], third = 0;
    Wide<T> slope = 0;
    if constexpr (std::is_same_v<Act, PRelu>) slope = op.slope[c], third = slope_sum[c];
    for (int64_t r = 0; r < tile; ++r) {
      const int64_t at = (row + r) * op.channels + c;
      const Wide<T> distance = centred(op, at, c);
      Wide<T> z = distance * op.scale[c] + op.shift[c];
      if constexpr (shortcut) z += widen(op.residual[at]);
      const Wide<T> g = widen(grad[at]);
      const Wide<T> dz = g * Act::slope_at(z, slope);
      first += dz;
      second += dz * distance;
      if constexpr (std::is_same_v<Act, PRelu>) third += z > 0 ? 0 : g * z;
    }
    sum[c] = first;
    product[c] = second;
    if constexpr (std::is_same_v<Act, PRelu>) slope_sum[c] = third;
  }
}

template <typename Act, bool shortcut, typename T>
void reduce_rows(const AffineAct<T>& op, const T* grad, int64_t begin, int64_t end, Wide<T>* sum, Wide<T>* product, Wide<T>* slope) {
  int64_t row = begin;
  for (; row + kTileOf<Act> <= end; row += kTileOf<Act>) add_sums<Act, shortcut, kTileOf<Act>>(op, grad, row, sum, product, slope);
  for (; row < end; ++row) add_sums<Act, shortcut, 1>(op, grad, row, sum, product, slope);
}

template <typename Act, typename T>
void reduce(const AffineAct<T>& op, const T* grad, int64_t begin, int64_t end, Wide<T>* sum, Wide<T>* product, Wide<T>* slope) {
  if (op.residual == nullptr) {
    reduce_rows<Act, false>(op, grad, begin, end, sum, product, slope);
  } else {
    reduce_rows<Act, true>(op, grad, begin, end, sum, product, slope);
  }
}

template <typename Act, bool shortcut, bool both, typename T>
void derive_row(const AffineAct<T> op, const AffineActGrad<T> back, int64_t row) {
  const int64_t start = row * op.channels;
  // x_grad may lie over grad: each element is read before it is written, so iterations stay independent.
#pragma GCC ivdep
  for (int64_t c = 0; c < op.channels; ++c) {
    const Wide<T> distance = centred(op, start + c, c);
    Wide<T> z = distance * op.scale[c] + op.shift[c];
    if constexpr (shortcut) z += widen(op.residual[start + c]);
    Wide<T> slope = 0;
    if constexpr (std::is_same_v<Act, PRelu>) slope = op.slope[c];
    const Wide<T> dz = widen(back.grad[start + c]) * Act::slope_at(z, slope);
    narrow(op.scale[c] * dz + back.constant[c] + back.linear[c] * distance, back.x_grad[start + c]);
    if constexpr (both) narrow(dz, back.residual_grad[start + c]);
  }
}

template <typename Act, typename T>
void derive(const AffineAct<T>& op, const AffineActGrad<T>& back, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    if (op.residual == nullptr) {
      derive_row<Act, false, false>(op, back, row);
    } else if (back.residual_grad == nullptr) {
      derive_row<Act, true, false>(op, back, row);
    } else {
      derive_row<Act, true, true>(op, back, row);
    }
  }
}

template <typename T>
constexpr AffineActLoops<T> kLoops = {
    moments<T>,
    {apply<Identity, T>, apply<PRelu, T>, apply<Relu, T>, apply<Relu6, T>, apply<Sigmoid, T>, apply<Silu, T>, apply<HardSwish, T>},
    {reduce<Identity, T>, reduce<PRelu, T>, reduce<Relu, T>, reduce<Relu6, T>, reduce<Sigmoid, T>, reduce<Silu, T>, reduce<HardSwish, T>},
    {derive<Identity, T>, derive<PRelu, T>, derive<Relu, T>, derive<Relu6, T>, derive<Sigmoid, T>, derive<Silu, T>, derive<HardSwish, T>},
};

}  // namespace

namespace FACEX_ISA {

const AffineActLoops<float>& affine_act_float() { return kLoops<float>; }
const AffineActLoops<double>& affine_act_double() { return kLoops<double>; }
const AffineActLoops<Bf16>& affine_act_bf16() { return kLoops<Bf16>; }

}  // namespace FACEX_ISA

}  // namespace facex::engine::loops

#include "engine/kernels/loops/gate.h"

#include "engine/kernels/loops/isa.h"

namespace facex::engine::loops {

namespace {

template <typename T>
void apply(const T* x, const T* gate, T* y, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) narrow(widen(x[c]) * widen(gate[c]), y[c]);
  }
}

// So many rows at a time, so that a sum is loaded and stored once for all of them.
template <int64_t tile, typename T>
void derive_rows(const T* x, const T* gate, const T* grad, T* x_grad, Wide<T>* sums, int64_t channels) {
  // Each element of grad is read before it is written over, so iterations stay independent.
#pragma GCC ivdep
  for (int64_t c = 0; c < channels; ++c) {
    const Wide<T> factor = widen(gate[c]);
    Wide<T> sum = 0;
#pragma GCC unroll 4
    for (int64_t r = 0; r < tile; ++r) {
      const Wide<T> g = widen(grad[r * channels + c]);
      sum += g * widen(x[r * channels + c]);
      narrow(g * factor, x_grad[r * channels + c]);
    }
    sums[c] += sum;
  }
}

template <typename T>
void derive(const T* x, const T* gate, const T* grad, T* x_grad, Wide<T>* sums, int64_t rows, int64_t channels) {
  constexpr int64_t kTile = 4;
  int64_t row = 0;
  for (; row + kTile <= rows; row += kTile) {
    const int64_t at = row * channels;
    derive_rows<kTile>(x + at, gate, grad + at, x_grad + at, sums, channels);
  }
  for (; row < rows; ++row) {
    const int64_t at = row * channels;
    derive_rows<1>(x + at, gate, grad + at, x_grad + at, sums, channels);
  }
}

template <typename T>
constexpr GateLoops<T> kLoops = {apply<T>, derive<T>};

}  // namespace

namespace FACEX_ISA {

const GateLoops<float>& gate_float() { return kLoops<float>; }
const GateLoops<double>& gate_double() { return kLoops<double>; }
const GateLoops<Bf16>& gate_bf16() { return kLoops<Bf16>; }

}  // namespace FACEX_ISA

}  // namespace facex::engine::loops

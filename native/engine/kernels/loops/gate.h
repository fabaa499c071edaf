// Inner loops of y = x * gate over rows of channels, with one gate a channel: squeeze-and-excitation.
#pragma once

#include <cstdint>

#include "engine/kernels/loops/number.h"

namespace facex::engine::loops {

template <typename T>
struct GateLoops {
  // x and y are [rows, channels]; y may be x itself.
  void (*apply)(const T* x, const T* gate, T* y, int64_t rows, int64_t channels);
  // x_grad = grad * gate, which may lie over grad; sums[c] += sum over rows of grad * x.
  void (*derive)(const T* x, const T* gate, const T* grad, T* x_grad, Wide<T>* sums, int64_t rows, int64_t channels);
};

// The loops for the best instruction set of this machine; T is float, double or Bf16.
template <typename T>
const GateLoops<T>& gate_loops();

}  // namespace facex::engine::loops

// An image times one gate a channel, as squeeze-and-excitation has it, for values that lie channels-last on the CPU.
// Results do not depend on the number of threads.
#pragma once

#include "core/tensor.h"

namespace facex::engine::kernels {

// Whether the kernels take x [N, C, H, W] and gate [N, C, 1, 1].
bool gate_takes(const Tensor& x, const Tensor& gate);

// Writes over x where `in_place`.
Tensor gated(const Tensor& x, const Tensor& gate, bool in_place);

struct GateGrads {
  Tensor x, gate;
};
// Reads values and gradient once for both. Writes into `grad` where `in_place`.
GateGrads gated_backward(const Tensor& x, const Tensor& gate, const Tensor& grad, bool in_place);

}  // namespace facex::engine::kernels

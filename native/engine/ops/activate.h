// Activations by name on any device: what the fused kernels do on the CPU in libtorch's own kernels.
#pragma once

#include "core/tensor.h"
#include "engine/graph.h"
#include "engine/kernels/affine_act.h"

namespace facex::engine {

using kernels::Activation;

// What the attribute `activation` of a fused node names; ErrorCode::kGraph where a slope is missing or too many.
Activation fused_activation(const Node& node);

// `slope` [C] or [1] is read by PReLU only; channels are dimension 1.
Tensor activate(Activation activation, const Tensor& z, const Tensor& slope);
// d loss / d z; adds nothing up over channels but the slope's gradient, which goes to `slope_grad` where that is given.
Tensor activate_backward(Activation activation, const Tensor& grad, const Tensor& z, const Tensor& slope, Tensor* slope_grad);

}  // namespace facex::engine

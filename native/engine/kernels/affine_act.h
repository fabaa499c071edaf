// y = act(scale * (x - mean) + shift + residual) with one coefficient a channel, forward and backward, on the CPU: batch
// norm with its activation and shortcut in two passes over memory, PReLU in one. Values are images that lie channels-last
// or row-major vectors [N, C], in float32, float64 or bfloat16; coefficients and statistics are float32, or float64 for
// float64 values. Results do not depend on the number of threads.
#pragma once

#include "core/tensor.h"
#include "engine/kernels/loops/affine_act.h"
#include "engine/kernels/storage.h"

namespace facex::engine::kernels {

using loops::Activation;

// Whether the kernels take such a value.
bool affine_act_takes(const Tensor& x);

struct ChannelMoments {
  Tensor mean, variance;  // [C]; the variance is the biased one
};
ChannelMoments channel_moments(const Tensor& x);

// Coefficients [C] in the wide type.
struct Affine {
  Tensor mean, scale, shift;
  Tensor slope;  // [C], PReLU only
  Activation activation = Activation::kNone;
};

// `residual` may be undefined. Writes over x where `in_place`.
Tensor affine_act(const Tensor& x, const Tensor& residual, const Affine& affine, bool in_place);

// With z the argument of the activation and dz = grad * act'(z): sums over all but the channels.
struct AffineActSums {
  Tensor dz, dz_distance;  // of dz and of dz * (x - mean)
  Tensor slope;            // of grad * min(z, 0), PReLU only
};
AffineActSums affine_act_sums(const Tensor& x, const Tensor& residual, const Affine& affine, const Tensor& grad);

// x_grad = scale * dz + constant + linear * (x - mean). Writes into `grad` where `in_place`, and fills `residual_grad`
// with dz where that is given.
Tensor affine_act_backward(const Tensor& x, const Tensor& residual, const Affine& affine, const Tensor& grad,
                           const Tensor& constant, const Tensor& linear, bool in_place, Tensor* residual_grad);

}  // namespace facex::engine::kernels

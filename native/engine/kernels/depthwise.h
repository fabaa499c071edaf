// Depthwise convolution of images that lie channels-last on the CPU: one filter of 3 x 3 or 5 x 5 a channel, stride 1 or
// 2. libtorch's own backward of stride 2 takes longer than all the rest of a light network. Values are float32, float64
// or bfloat16; weights and sums are float32, or float64 for float64 values. Results do not depend on the number of threads.
#pragma once

#include "core/tensor.h"
#include "engine/kernels/affine_act.h"

namespace facex::engine::kernels {

struct Depthwise {
  int64_t kernel, stride;             // both directions alike
  int64_t padding_height, padding_width;

  // Whether the kernels take such an image; `weight` is [C, 1, k, k].
  static bool takes(const Tensor& x, const Tensor& weight, at::IntArrayRef stride, at::IntArrayRef dilation);

  // Weights [C, 1, k, k] as forward reads them for values of `type`: [k * k, C] in the type of the sums.
  static Tensor taps(const Tensor& weight, at::ScalarType type);

  // Where `after` is given its affine map, its activation and, if that is defined, `residual` are applied to each line of
  // the result while it is in the cache.
  Tensor forward(const Tensor& x, const Tensor& taps, const Affine* after, const Tensor& residual) const;
  // d loss / d x for an x of `sizes`.
  Tensor input_grad(const Tensor& grad, const Tensor& weight, at::IntArrayRef sizes) const;
  // [C, 1, k, k] in the type of the sums.
  Tensor weight_grad(const Tensor& grad, const Tensor& x) const;
};

}  // namespace facex::engine::kernels

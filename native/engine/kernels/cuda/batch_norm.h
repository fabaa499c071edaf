// Batch norm with activation and shortcut on CUDA, forward and backward: act(batch_norm(x) + shortcut). Three launches
// each way (sums over pieces of the rows, their total, values), in place of a dozen small ones around two big ones.
// Sums are taken in an order that depends on the shape and the device only.
#pragma once

#include "core/tensor.h"
#include "engine/kernels/loops/affine_act.h"

namespace facex::engine::kernels::cuda {

// Entries of the layer, float32 (float64 for float64 values) on the device of the values; undefined where the layer has
// none. `slope` has one value, or one a channel. Without running statistics and those of the batch nothing is normalised:
// act(x + shortcut).
struct BatchNormLayer {
  Tensor weight, bias, slope;
  Tensor running_mean, running_var, batches;  // written when normalising with the batch
  loops::Activation activation = loops::Activation::kNone;
  double eps = 0, momentum = 0;
  bool batch_statistics = false;
};

struct BatchNormResult {
  Tensor y;
  Tensor statistics;  // [2, C]: mean and inverse deviation, for backward; undefined where nothing is normalised
};

struct BatchNormGrads {
  Tensor x, residual;           // undefined where not wanted
  Tensor weight, bias, slope;   // [C]; the slope's is undefined without one
};

// x [N, C] row-major or [N, C, H, W] channels-last; `residual` alike or undefined.
BatchNormResult batch_norm(const Tensor& x, const Tensor& residual, const BatchNormLayer& layer);

// `in_place`: the gradient of x may be written over `grad`.
BatchNormGrads batch_norm_backward(const Tensor& x, const Tensor& residual, const BatchNormLayer& layer, const Tensor& statistics, const Tensor& grad,
                                   bool wants_x, bool wants_residual, bool in_place);

// Whether the kernels take such a value.
bool batch_norm_takes(const Tensor& x);

// uint8 to (x - mean) * scale in the dtype of `values`, element by element; both dense and laid out alike.
void normalise_pixels(const Tensor& bytes, const Tensor& values, double mean, double scale);

}  // namespace facex::engine::kernels::cuda

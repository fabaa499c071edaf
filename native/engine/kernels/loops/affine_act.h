// Inner loops of y = act(scale * (x - mean) + shift + residual) over rows of channels: batch norm with an activation and
// a shortcut, or a PReLU alone. The loops work on a range of rows; kernels/affine_act.cc shares ranges out to threads.
#pragma once

#include <cstdint>

#include "engine/kernels/loops/number.h"

namespace facex::engine::loops {

// In the order of the loops' tables.
enum class Activation { kNone, kPRelu, kRelu, kRelu6, kSigmoid, kSilu, kHardSwish };
inline constexpr int kActivations = 7;

// Row-major [rows, channels] data and one coefficient a channel. `residual` may be null; `slope` is read by PReLU only.
template <typename T>
struct AffineAct {
  int64_t rows, channels;
  const T* x;
  const T* residual;
  const Wide<T>*mean, *scale, *shift, *slope;
};

// Backward: dz = grad * act'(z), dx = scale * dz + constant + linear * (x - mean), and dz itself for the residual.
template <typename T>
struct AffineActGrad {
  const T* grad;
  const Wide<T>*constant, *linear;
  T* x_grad;         // may be `grad` itself
  T* residual_grad;  // null where it is not wanted; may not overlap `grad` unless equal to x_grad is not
};

template <typename T>
struct AffineActLoops {
  // Mean and sum of squared deviations of rows [begin, end); `scratch` has room for one value a channel.
  void (*moments)(const T* x, int64_t channels, int64_t begin, int64_t end, Wide<T>* mean, Wide<T>* squares, Wide<T>* scratch);
  // `y` may be `x` itself.
  void (*apply[kActivations])(const AffineAct<T>& op, T* y, int64_t begin, int64_t end);
  // Adds the sums over rows [begin, end) of dz, dz * (x - mean) and, for PReLU, grad * min(z, 0).
  void (*reduce[kActivations])(const AffineAct<T>& op, const T* grad, int64_t begin, int64_t end, Wide<T>* sum, Wide<T>* product, Wide<T>* slope);
  void (*derive[kActivations])(const AffineAct<T>& op, const AffineActGrad<T>& back, int64_t begin, int64_t end);
};

// The loops for the best instruction set of this machine; T is float, double or Bf16.
template <typename T>
const AffineActLoops<T>& affine_act_loops();

}  // namespace facex::engine::loops

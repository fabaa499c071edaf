// Convolution by oneDNN with weights in the blocked layout that it computes in. libtorch's convolution brings them into
// that layout in every call; for a network that only infers they can be packed once.
#pragma once

#include "core/tensor.h"

namespace facex::engine::kernels {

struct Window {
  at::IntArrayRef stride, padding, dilation;
  int64_t groups;
};

// Whether this libtorch has the operations and oneDNN computes in the type of x on this machine.
bool packed_convolution_takes(const Tensor& x);

// `weight` [O, C / groups, kh, kw] in the type of x, for images like x. Good for images of other sizes too.
Tensor packed_weight(const Tensor& weight, const Tensor& x, const Window& window);

// conv2d(x) + bias, channels-last. `bias` may be undefined.
Tensor packed_convolution(const Tensor& x, const Tensor& packed, const Tensor& bias, const Window& window);

}  // namespace facex::engine::kernels

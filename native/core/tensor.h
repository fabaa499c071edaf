// The narrow door to libtorch's tensor type. Ops include the ATen/ops/<name>.h headers that they call, never
// <torch/torch.h>: that header alone costs half a minute a translation unit.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <vector>

namespace facex {

using at::Tensor;
using Shape = std::vector<int64_t>;

}  // namespace facex

// L2 norm of many tensors together.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace facex::training {

// sqrt of the sum of all squares, summed in float64; tensors are float32 or float64, of one device. Not finite exactly when an element
// is not. On the CPU the result does not depend on the number of threads.
double l2_norm(const std::vector<Tensor>& tensors);

}  // namespace facex::training

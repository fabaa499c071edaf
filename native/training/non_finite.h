// Where a loss stopped being finite.
#pragma once

#include <map>
#include <string>

#include "training/parts.h"

namespace facex::training {

// Names the first tensor that holds NaN or infinity: parameters first (an earlier update broke them), then the values
// of the step (a forward broke them), then gradients.
std::string first_non_finite(const Parts& parts, const std::map<std::string, Tensor>& values);

}  // namespace facex::training

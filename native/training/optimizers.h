// The optimizers that there are, one line each.
#pragma once

#include "training/optimizer.h"

namespace facex::training {

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const Parts& parts);
std::unique_ptr<Optimizer> make_adamw(const OptimizerOptions& options, const Parts& parts);

}  // namespace facex::training

// First values of state entries.
#pragma once

#include "core/tensor.h"
#include "engine/graph.h"

namespace facex::engine {

// Fills `tensor` by the entry's initializer. The values depend on the seed and the entry's name only.
void initialise(Tensor& tensor, const StateEntry& entry, uint64_t seed);

}  // namespace facex::engine

// The state of a run whose parts lie on several ranks, as one process alone would have it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/collective.h"
#include "training/parts.h"

namespace facex::training {

// Copies of all values on the CPU, row-major. With a group all ranks must call it: parts are put together on rank 0, the
// others receive nothing.
std::vector<std::pair<std::string, Tensor>> gather_state(const std::vector<NamedEntry>& entries, Collective* group);

// The buffers of all networks become those of rank 0.
void broadcast_buffers(const Parts& parts, Collective& group);

}  // namespace facex::training

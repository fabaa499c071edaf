// Short texts of all ranks, shared through the store.
#pragma once

#include <string>
#include <vector>

#include "distributed/rendezvous.h"

namespace facex::distributed {

// The text of every rank, in order; `number` counts the exchanges of the group. Rank 0 collects and hands out, so that each
// of the others asks for one thing only. PeerFailure names a rank that does not come within operation_seconds.
std::vector<std::string> exchange_texts(const Store& store, const GroupOptions& options, const std::string& text, int64_t number);

}  // namespace facex::distributed

// The networks and heads of one training run, and one list of all their state by full name: `backbone.conv1.weight`.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/collective.h"
#include "core/state.h"
#include "engine/network.h"
#include "heads/head.h"

namespace facex::training {

struct Parts {
  // Shared with whoever evaluates a network between two runs of steps.
  std::map<std::string, std::shared_ptr<engine::Network>> networks;
  std::map<std::string, std::shared_ptr<heads::Head>> heads;
};

struct NamedEntry {
  std::string name;  // "<part>.<entry>"
  Entry* entry;      // lives as long as the part
  Part part = {};    // what this process holds of it
};

// Shape of the tensor that the entry is, or is a part of.
Shape whole_shape(const NamedEntry& named);

// All entries, part by part, each in the order of its state dict.
std::vector<NamedEntry> named_entries(const Parts& parts);

}  // namespace facex::training

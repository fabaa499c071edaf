#include "training/parts.h"

namespace facex::training {

namespace {

void append(std::vector<NamedEntry>& list, const std::string& part, State& state) {
  for (Entry& entry : state.entries()) list.push_back({part + "." + entry.name, &entry});
}

}  // namespace

std::vector<NamedEntry> named_entries(const Parts& parts) {
  std::vector<NamedEntry> list;
  for (const auto& [name, network] : parts.networks) append(list, name, network->state());
  for (const auto& [name, head] : parts.heads) append(list, name, head->state());
  return list;
}

}  // namespace facex::training

#include "training/parts.h"

namespace facex::training {

Shape whole_shape(const NamedEntry& named) {
  Shape shape = named.entry->value.sizes().vec();
  if (named.part.whole > 0) shape[named.part.dim] = named.part.whole * named.part.width;
  return shape;
}

std::vector<NamedEntry> named_entries(const Parts& parts) {
  std::vector<NamedEntry> list;
  for (const auto& [name, network] : parts.networks) {
    for (Entry& entry : network->state().entries()) list.push_back({name + "." + entry.name, &entry});
  }
  for (const auto& [name, head] : parts.heads) {
    for (Entry& entry : head->state().entries()) list.push_back({name + "." + entry.name, &entry, head->part(entry.name)});
  }
  return list;
}

}  // namespace facex::training

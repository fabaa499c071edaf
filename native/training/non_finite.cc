#include "training/non_finite.h"

#include <ATen/ops/isfinite.h>

namespace facex::training {

namespace {

bool broken(const Tensor& tensor) {
  return tensor.defined() && tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>();
}

}  // namespace

std::string first_non_finite(const Parts& parts, const std::map<std::string, Tensor>& values) {
  const std::vector<NamedEntry> entries = named_entries(parts);
  for (const NamedEntry& named : entries) {
    if (named.entry->kind == EntryKind::kParameter && broken(named.entry->value)) {
      return "parameter " + named.name + " is not finite since an earlier update: lower the learning rate or clip gradients";
    }
  }
  for (const auto& [name, value] : values) {
    if (broken(value)) return "value \"" + name + "\" is the first that is not finite";
  }
  for (const NamedEntry& named : entries) {
    if (broken(named.entry->grad)) return "the gradient of " + named.name + " is the first that is not finite";
  }
  return "every tensor by itself is finite: their norm overflows";
}

}  // namespace facex::training

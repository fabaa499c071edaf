#include "training/gather_state.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

namespace facex::training {

namespace {

// Undefined on the ranks that do not receive.
Tensor whole_value(const NamedEntry& named, Collective& group) {
  const Part& part = named.part;
  const int64_t longest = Share(part.whole, 0, group.size()).count * part.width;
  const Tensor own = named.entry->value.transpose(0, part.dim);
  Shape shape = own.sizes().vec();
  shape[0] = longest;
  Tensor padded = at::zeros(shape, own.options().memory_format(at::MemoryFormat::Contiguous));
  padded.narrow(0, 0, own.size(0)).copy_(own);
  const Tensor gathered = group.gather(padded, 0);
  if (!gathered.defined()) return {};
  std::vector<Tensor> parts;
  for (int rank = 0; rank < group.size(); ++rank) {
    parts.push_back(gathered.narrow(0, rank * longest, Share(part.whole, rank, group.size()).count * part.width));
  }
  return at::cat(parts).transpose(0, part.dim);
}

}  // namespace

std::vector<std::pair<std::string, Tensor>> gather_state(const std::vector<NamedEntry>& entries, Collective* group) {
  std::vector<std::pair<std::string, Tensor>> values;
  for (const NamedEntry& named : entries) {
    const bool here = group == nullptr || group->rank() == 0;
    const Tensor value = named.part.whole > 0 && group != nullptr ? whole_value(named, *group) : named.entry->value;
    if (!here) continue;
    const Tensor copy = value.to(at::kCPU);
    // What came from a device or from other ranks is nobody else's already.
    values.emplace_back(named.name, copy.is_same(named.entry->value) ? copy.clone(at::MemoryFormat::Contiguous) : copy.contiguous());
  }
  return values;
}

void broadcast_buffers(const Parts& parts, Collective& group) {
  for (const auto& [name, network] : parts.networks) {
    for (Entry& entry : network->state().entries()) {
      if (entry.kind != EntryKind::kBuffer) continue;
      const Tensor value = entry.value.contiguous();
      group.broadcast(value, 0);
      if (!value.is_same(entry.value)) entry.value.copy_(value);
      ++entry.version;
    }
  }
}

}  // namespace facex::training

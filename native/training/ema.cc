#include "training/ema.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include "core/error.h"

namespace facex::training {

void update_average(engine::Network& from, engine::Network& to, double decay, bool copy_buffers) {
  std::vector<Tensor> targets, sources, buffer_targets, buffer_sources;
  const std::vector<Entry>& source_entries = from.state().entries();
  std::vector<Entry>& target_entries = to.state().entries();
  if (source_entries.size() != target_entries.size()) {
    fail(ErrorCode::kConfig, "ema: networks ", from.graph().name, " and ", to.graph().name, " differ");
  }
  for (size_t i = 0; i < target_entries.size(); ++i) {
    const bool parameter = target_entries[i].kind == EntryKind::kParameter;
    if (!parameter && !copy_buffers) continue;
    (parameter ? targets : buffer_targets).push_back(target_entries[i].value);
    (parameter ? sources : buffer_sources).push_back(source_entries[i].value);
    ++target_entries[i].version;
  }
  at::_foreach_lerp_(targets, sources, 1 - decay);
  if (!buffer_targets.empty()) at::_foreach_copy_(buffer_targets, buffer_sources);
}

}  // namespace facex::training

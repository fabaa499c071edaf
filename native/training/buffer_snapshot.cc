#include "training/buffer_snapshot.h"

#include <ATen/ops/clone.h>

namespace facex::training {

BufferSnapshot::BufferSnapshot(const Parts& parts) {
  for (const NamedEntry& named : named_entries(parts)) {
    if (named.entry->kind == EntryKind::kBuffer) copies_.push_back({named.entry, named.entry->value.clone()});
  }
}

void BufferSnapshot::restore() {
  for (Copy& copy : copies_) {
    copy.entry->value.copy_(copy.value);
    ++copy.entry->version;
  }
}

}  // namespace facex::training

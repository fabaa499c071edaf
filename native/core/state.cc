#include "core/state.h"

#include "core/error.h"

namespace facex {

Entry& State::add(std::string name, EntryKind kind, Tensor value) {
  if (!index_.emplace(name, entries_.size()).second) fail(ErrorCode::kGraph, "duplicate state entry ", name);
  entries_.push_back({std::move(name), kind, std::move(value), {}, 0});
  return entries_.back();
}

Entry* State::find(const std::string& name) {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

const Entry* State::find(const std::string& name) const { return const_cast<State*>(this)->find(name); }

void accumulate_grad(Entry& entry, Tensor delta) {
  if (entry.grad.defined()) {
    entry.grad.add_(delta);
  } else {
    entry.grad = std::move(delta);
  }
}

}  // namespace facex

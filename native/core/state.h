// Named tensors: the state dict of a network or head, in PyTorch's order. Optimizers, EMA and checkpoints walk it
// without knowing what it belongs to.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/tensor.h"

namespace facex {

enum class EntryKind { kParameter, kBuffer };

struct Entry {
  std::string name;
  EntryKind kind = EntryKind::kParameter;
  Tensor value;         // master value, never replaced after construction: others may hold it
  Tensor grad;          // parameters only; undefined until the first backward, same dtype as value
  uint64_t version = 0; // raised by whoever writes `value` in place, so that cached casts and packed copies know
};

class State {
 public:
  Entry& add(std::string name, EntryKind kind, Tensor value);
  // nullptr when there is no such entry.
  Entry* find(const std::string& name);
  const Entry* find(const std::string& name) const;
  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // add() may move entries: finish adding before keeping pointers
  std::unordered_map<std::string, size_t> index_;
};

// grad += delta, taking `delta` over when there is no gradient yet.
void accumulate_grad(Entry& entry, Tensor delta);

}  // namespace facex

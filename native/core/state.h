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
  // Undefined when `grad` covers all of `value`. Else int64 [S], ascending: `grad` holds only these slices of it along
  // `slice_dim`, the others have no gradient at all and an optimizer leaves them and their slots alone.
  Tensor grad_slices;
  int64_t slice_dim = 0;
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
// The same for a gradient that covers only `slices` along `dim`; the result covers those of both.
void accumulate_grad_slices(Entry& entry, Tensor delta, Tensor slices, int64_t dim);

void clear_grad(Entry& entry);
// A copy of the gradient that covers all of `value`, zero where there is none.
Tensor whole_grad(const Entry& entry);

// The slices of `tensor` [as value], neighbours in memory, one after another.
Tensor take_slices(const Tensor& tensor, const Tensor& slices, int64_t dim);
// The same into existing memory laid out like the result, which may be on another device.
void copy_slices(const Tensor& tensor, const Tensor& slices, int64_t dim, const Tensor& to);
// Writes what take_slices() gave back to its place.
void put_slices(const Tensor& tensor, const Tensor& slices, int64_t dim, const Tensor& taken);

}  // namespace facex

#include "core/state.h"

#include <ATen/ops/_unique.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/error.h"

namespace facex {

Entry& State::add(std::string name, EntryKind kind, Tensor value) {
  if (!index_.emplace(name, entries_.size()).second) fail(ErrorCode::kGraph, "duplicate state entry ", name);
  entries_.push_back({std::move(name), kind, std::move(value), {}, {}});
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

void accumulate_grad_slices(Entry& entry, Tensor delta, Tensor slices, int64_t dim) {
  entry.slice_dim = dim;
  if (!entry.grad.defined()) {
    entry.grad = std::move(delta);
    entry.grad_slices = std::move(slices);
    return;
  }
  const auto [merged, place] = at::_unique(at::cat({entry.grad_slices, slices}), /*sorted=*/true, /*return_inverse=*/true);
  Shape shape = delta.sizes().vec();
  shape[dim] = merged.size(0);
  std::swap(shape[0], shape[dim]);
  const Tensor sum = at::zeros(shape, delta.options()).transpose(0, dim);  // slices are neighbours in memory
  sum.index_add_(dim, place, at::cat({entry.grad, delta}, dim));
  entry.grad = sum;
  entry.grad_slices = merged;
}

void clear_grad(Entry& entry) {
  entry.grad = Tensor();
  entry.grad_slices = Tensor();
}

Tensor whole_grad(const Entry& entry) {
  if (!entry.grad_slices.defined()) return entry.grad.clone();
  return at::zeros_like(entry.value).index_copy_(entry.slice_dim, entry.grad_slices, entry.grad);
}

Tensor take_slices(const Tensor& tensor, const Tensor& slices, int64_t dim) {
  return tensor.transpose(0, dim).index_select(0, slices).transpose(0, dim);
}

void copy_slices(const Tensor& tensor, const Tensor& slices, int64_t dim, const Tensor& to) {
  Tensor target = to.transpose(0, dim);
  if (to.device() == tensor.device()) {
    at::index_select_out(target, tensor.transpose(0, dim), 0, slices);
  } else {
    target.copy_(tensor.transpose(0, dim).index_select(0, slices));
  }
}

void put_slices(const Tensor& tensor, const Tensor& slices, int64_t dim, const Tensor& taken) {
  tensor.transpose(0, dim).index_copy_(0, slices, taken.transpose(0, dim));
}

}  // namespace facex

#include "training/optimizer.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <set>

#include "core/error.h"

namespace facex::training {

namespace {

// Whether elements of both lie in the same order; the stride of a dimension of extent 1 says nothing.
bool is_laid_out_like(const Tensor& value, const Tensor& grad) {
  for (int64_t dim = 0; dim < value.dim(); ++dim) {
    if (value.size(dim) > 1 && value.stride(dim) != grad.stride(dim)) return false;
  }
  return true;
}

// An update walks the memory of value, gradient and slots side by side, so all must be laid out alike.
Tensor laid_out_like(const Tensor& value, const Tensor& grad) {
  if (is_laid_out_like(value, grad) && grad.scalar_type() == value.scalar_type()) return grad;
  return at::empty_like(value).copy_(grad);
}

// In the order of memory: libtorch's kernels first copy what is not contiguous, such as class centres, a matrix of
// columns outside that lies by classes inside.
Tensor flat(const Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() ? tensor.as_strided({tensor.numel()}, {1}) : tensor;
}

// Part of a parameter or slot, copied out for one update.
struct Slices {
  const Entry* entry;
  Tensor whole, values;
};

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, const Parts& parts, const std::vector<std::string>& slots)
    : slot_count_(slots.size()) {
  std::map<std::string, NamedEntry> known;
  for (const NamedEntry& named : named_entries(parts)) {
    if (named.entry->kind == EntryKind::kParameter) known.emplace(named.name, named);
  }
  std::set<std::string> seen;
  for (const ParameterGroup& group : options.groups) {
    const size_t begin = parameters_.size();
    for (const std::string& name : group.names) {
      auto found = known.find(name);
      if (found == known.end()) fail(ErrorCode::kConfig, "optimizer groups: there is no parameter \"", name, "\"");
      if (!seen.insert(name).second) fail(ErrorCode::kConfig, "optimizer groups: \"", name, "\" is in two groups");
      parameters_.push_back(found->second);
    }
    groups_.push_back({begin, parameters_.size(), group.lr_multiplier, group.weight_decay});
  }
  for (const std::string& slot : slots) {
    for (const NamedEntry& parameter : parameters_) {
      state_.add(slot + "." + parameter.name, EntryKind::kBuffer, at::zeros_like(parameter.entry->value));
    }
  }
}

void Optimizer::update(double lr, double grad_factor) {
  ++updates_;
  for (const Group& group : groups_) {
    std::vector<Bucket> buckets;  // one a device: class centres may live on the CPU while everything else is elsewhere
    const auto bucket_on = [&](at::Device device) -> Bucket& {
      for (Bucket& bucket : buckets) {
        if (bucket.values[0].device() == device) return bucket;
      }
      Bucket& bucket = buckets.emplace_back();
      bucket.slots.resize(slot_count_);
      bucket.lr = lr * group.lr_multiplier;
      bucket.weight_decay = group.weight_decay;
      bucket.grad_factor = grad_factor;
      return bucket;
    };
    std::vector<Slices> taken;
    // What a gradient covers of a tensor laid out like the parameter: all, or slices that go back after the update.
    const auto covered = [&taken](const Entry& entry, const Tensor& tensor) {
      if (!entry.grad_slices.defined()) return tensor;
      taken.push_back({&entry, tensor, take_slices(tensor, entry.grad_slices, entry.slice_dim)});
      return taken.back().values;
    };
    for (size_t p = group.begin; p < group.end; ++p) {
      Entry& entry = *parameters_[p].entry;
      if (!entry.grad.defined()) continue;
      Bucket& bucket = bucket_on(entry.value.device());
      const Tensor value = covered(entry, entry.value);
      bucket.values.push_back(flat(value));
      bucket.grads.push_back(flat(laid_out_like(value, entry.grad)));
      for (size_t s = 0; s < slot_count_; ++s) {
        bucket.slots[s].push_back(flat(covered(entry, state_.entries()[s * parameters_.size() + p].value)));
      }
      ++entry.version;
    }
    for (Bucket& bucket : buckets) update_bucket(bucket);
    for (const Slices& slices : taken) put_slices(slices.whole, slices.entry->grad_slices, slices.entry->slice_dim, slices.values);
  }
}

void Optimizer::update_bucket(Bucket& bucket) {
  if (bucket.values[0].is_cpu()) return update_on_cpu(bucket);
  if (bucket.grad_factor != 1) at::_foreach_mul_(bucket.grads, bucket.grad_factor);
  update_on_device(bucket);
}

void Optimizer::reset() {
  updates_ = 0;
  for (Entry& slot : state_.entries()) slot.value.zero_();
}

}  // namespace facex::training

#include "training/gradient_reducer.h"

#include <ATen/ops/empty.h>

namespace facex::training {

namespace {

// The part of a bucket at `offset` that holds a gradient, with the layout of the gradient itself.
Tensor place_of(const Tensor& flat, int64_t offset, const Tensor& grad) {
  return flat.narrow(0, offset, grad.numel()).as_strided(grad.sizes(), grad.strides());
}

}  // namespace

GradientReducer::GradientReducer(Collective& group, const ReducerOptions& options, std::vector<Entry*> parameters)
    : group_(group), options_(options), parameters_(std::move(parameters)) {
  reset();
}

void GradientReducer::add(Entry& parameter) {
  if (!parameter.grad.defined() || missing_.erase(&parameter) == 0) return;
  if (!parameter.grad.is_non_overlapping_and_dense()) parameter.grad = parameter.grad.contiguous();
  waiting_.push_back(&parameter);
  waiting_bytes_ += static_cast<int64_t>(parameter.grad.nbytes());
  if (waiting_bytes_ >= options_.bucket_bytes) launch();
}

void GradientReducer::launch() {
  if (waiting_.empty()) return;
  Bucket bucket;
  bucket.entries.swap(waiting_);
  waiting_bytes_ = 0;
  int64_t total = 0;
  for (const Entry* entry : bucket.entries) total += entry->grad.numel();
  const Tensor& like = bucket.entries.front()->grad;
  bucket.flat = at::empty({total}, like.options().dtype(options_.bfloat16 ? at::kBFloat16 : like.scalar_type()).memory_format(at::MemoryFormat::Contiguous));
  int64_t offset = 0;
  for (const Entry* entry : bucket.entries) {
    place_of(bucket.flat, offset, entry->grad).copy_(entry->grad);
    offset += entry->grad.numel();
  }
  bucket.pending = group_.start_all_reduce(bucket.flat, Reduction::kSum);
  sent_.push_back(std::move(bucket));
}

void GradientReducer::finish() {
  for (Entry* parameter : parameters_) add(*parameter);
  launch();
  for (Bucket& bucket : sent_) {
    bucket.pending->wait();
    int64_t offset = 0;
    for (Entry* entry : bucket.entries) {
      const Tensor sum = place_of(bucket.flat, offset, entry->grad);
      offset += entry->grad.numel();
      if (options_.bfloat16) {
        entry->grad.copy_(sum);
      } else {
        entry->grad = sum;  // lives in the bucket from here on
      }
    }
  }
  reset();
}

void GradientReducer::reset() {
  waiting_.clear();
  waiting_bytes_ = 0;
  sent_.clear();
  missing_ = {parameters_.begin(), parameters_.end()};
}

}  // namespace facex::training

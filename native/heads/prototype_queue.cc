#include "heads/prototype_queue.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>

#include "heads/options.h"

namespace facex::heads {

namespace {

Tensor unit_rows(const Tensor& x) { return x / at::linalg_vector_norm(x, 2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

}  // namespace

PrototypeQueue::PrototypeQueue(const Definition& definition, const HeadOptions& options) : definition_(definition), options_(options) {
  const int64_t slots = static_cast<int64_t>(number(options, "queue_size"));
  const auto integers = at::TensorOptions().dtype(at::kLong).device(options.device);
  const auto floats = at::TensorOptions().dtype(options.dtype).device(options.device);
  state_.add("queue", EntryKind::kBuffer, at::zeros({slots, options.feat_dim}, floats).t());
  state_.add("index", EntryKind::kBuffer, at::zeros({1}, integers));
  state_.add("label_list", EntryKind::kBuffer, at::full({slots}, -1, integers));
}

void PrototypeQueue::initialise(uint64_t seed) {
  initialise_centres(*state_.find("queue"), definition_.centres, seed, {0, state_.find("label_list")->value.size(0)});
  state_.find("index")->value.zero_();
  state_.find("label_list")->value.fill_(-1);
}

void PrototypeQueue::check(const HeadRequest& request) const {
  const Tensor &embeddings = request.embeddings, &gallery = request.gallery;
  const int64_t slots = static_cast<int64_t>(number(options_, "queue_size"));
  if (!gallery.defined() || embeddings.dim() != 2 || embeddings.size(1) != options_.feat_dim || gallery.sizes() != embeddings.sizes()) {
    fail(ErrorCode::kNative, "head ", options_.name, ": expected embeddings and gallery [N, ", options_.feat_dim, "] of one size, got ",
         embeddings.sizes(), " and ", gallery.defined() ? gallery.sizes() : at::IntArrayRef());
  }
  if (embeddings.size(0) < 1 || embeddings.size(0) > slots) {
    fail(ErrorCode::kConfig, "head ", options_.name, ": expected a batch of 1 to queue_size = ", slots, " samples, got ", embeddings.size(0));
  }
}

Tensor PrototypeQueue::next_slots(int64_t n) const {
  const Tensor& index = state_.find("index")->value;
  return (at::arange(n, index.options()) + index).remainder(state_.find("label_list")->value.size(0));
}

Tensor PrototypeQueue::prototypes(const Tensor& gallery, const Tensor& slots) const {
  const Tensor rows = state_.find("queue")->value.t();
  return rows.index_copy(0, slots, unit_rows(gallery.detach().to(rows.options())));
}

Tensor PrototypeQueue::mask(const Tensor& labels, const Tensor& slots) const {
  const Tensor identities = state_.find("label_list")->value.index_copy(0, slots, labels.to(slots.options()));
  return (labels.to(slots.options()).unsqueeze(1) == identities).scatter(1, slots.unsqueeze(1), false);
}

void PrototypeQueue::enqueue(const Tensor& features, const Tensor& labels) {
  const at::NoGradGuard no_grad;
  check({.embeddings = features, .labels = labels, .gallery = features});
  const Tensor slots = next_slots(features.size(0));
  Entry &queue = *state_.find("queue"), &index = *state_.find("index"), &identities = *state_.find("label_list");
  queue.value.t().index_copy_(0, slots, unit_rows(features.detach().to(queue.value.options())));
  identities.value.index_copy_(0, slots, labels.to(slots.options()));
  index.value.add_(features.size(0)).remainder_(identities.value.size(0));
  for (Entry* entry : {&queue, &index, &identities}) ++entry->version;
}

}  // namespace facex::heads

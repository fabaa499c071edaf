#include "heads/fused/fused_head.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scalar_tensor.h>

#include "heads/fused/geometry.h"

namespace facex::heads::fused {

template <typename T>
HeadResult FusedHead<T>::run(const HeadRequest& request) {
  const at::NoGradGuard no_grad;
  check_request(request, options_);
  Entry& entry = *state_.find(definition_.centres.name);
  const Tensor centres = centre_rows(entry.value, definition_.centres.shape);
  const int64_t n = request.embeddings.size(0), m = centres.size(0);
  const auto type = centres.options();

  std::vector<Row<T>> rows(n);
  const Tensor unit = normalise(request.embeddings.to(type.dtype()).contiguous(), spherical_, rows);
  if (!products_.defined() || products_.size(0) != n) products_ = at::empty({n, m}, type);
  if (!inverse_norms_.defined()) inverse_norms_ = at::empty({m}, type);
  multiply<T>(unit, centres, spherical_, options_.bf16_products, products_, inverse_norms_);

  const Cosines<T> cosines{products_.mutable_data_ptr<T>(), n, options_.num_class, m / options_.num_class,
                           inverse_norms_.const_data_ptr<T>(), spherical_};
  const Tensor labels = request.labels.contiguous();
  for (Row<T>& row : rows) {
    row.label = labels.const_data_ptr<int64_t>()[row.index];
    if (row.label < 0) continue;  // the class is on another rank
    row.position = cosines.locate(row.index, row.label);
    row.cosine = cosines.at(row.index, row.position);
  }

  HeadResult result;
  if (request.logits) result.logits = at::empty({n, options_.num_class}, type);
  Step<T> step{rows, cosines, state_, static_cast<T>(request.grad_scale), request.adapt, request.gradients, all_classes(options_), options_.share.group.get()};
  step.combine(Reduction::kSum, &Row<T>::cosine);
  const double extra = margin_softmax(step, request.logits ? result.logits.template mutable_data_ptr<T>() : nullptr);
  const double loss = mean_loss(rows);
  if (!std::isnan(extra)) result.extra_loss = at::scalar_tensor(extra, type);
  result.loss = at::scalar_tensor(std::isnan(extra) ? loss : loss + extra, type);
  if (request.gradients) {
    const bool add = entry.grad.defined();
    if (!add) entry.grad = lend_gradient(centres);
    Tensor unit_grad = at::empty_like(unit);
    backward_products<T>(products_, unit, centres, inverse_norms_, spherical_, options_.bf16_products, unit_grad,
                         centre_rows(entry.grad, definition_.centres.shape), add);
    if (step.group != nullptr && step.group->rank() != 0) {
      for (Row<T>& row : rows) row.norm_grad = 0;  // the same on all ranks: it must count once
    }
    result.grad_embeddings = embedding_gradient(unit_grad, unit, spherical_, rows);
  }
  return result;
}

template class FusedHead<float>;
template class FusedHead<double>;

}  // namespace facex::heads::fused

#include "heads/reference/own_classes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace facex::heads::reference {

Tensor OwnClasses::pick(const Tensor& values) const {
  if (group_ == nullptr) return values.gather(1, index_.unsqueeze(1));
  const Tensor elsewhere = (index_ < 0).unsqueeze(1);
  const Tensor part = values.gather(1, index_.clamp_min(0).unsqueeze(1)).masked_fill(elsewhere, 0);
  return cut(part, sum(part), true);
}

Tensor OwnClasses::put(const Tensor& values, const Tensor& value) const {
  if (group_ == nullptr) return values.scatter(1, index_.unsqueeze(1), value);
  const Tensor place = index_.clamp_min(0).unsqueeze(1);
  return values.scatter(1, place, at::where((index_ < 0).unsqueeze(1), values.gather(1, place), value));
}

Tensor OwnClasses::reduced(const Tensor& part, Reduction reduction) const {
  if (group_ == nullptr) return part.detach();
  const Tensor whole = part.detach().clone(at::MemoryFormat::Contiguous);
  group_->all_reduce(whole.view({-1}), reduction);
  return whole;
}

Tensor OwnClasses::cut(const Tensor& before, const Tensor& value, bool summed) const {
  if (!before.requires_grad()) return value;
  const Tensor leaf = value.detach().requires_grad_();
  cuts_.push_back({before, leaf, summed});
  return leaf;
}

void OwnClasses::backward() const {
  for (; !cuts_.empty(); cuts_.pop_back()) {
    const Cut& last = cuts_.back();
    const Tensor grad = last.leaf.grad().defined() ? last.leaf.grad() : at::zeros_like(last.leaf);
    last.before.backward(last.summed ? sum(grad) : grad, /*retain_graph=*/true);
  }
}

CrossEntropy cross_entropy(const Tensor& logits, const OwnClasses& classes) {
  const at::NoGradGuard no_grad;
  const Tensor all = logits.detach();
  const Tensor top = classes.max(at::amax(all, {1}, /*keepdim=*/true));
  Tensor grad = (all - top).exp_();
  const Tensor sum = classes.sum(grad.sum(1, /*keepdim=*/true));
  grad.div_(sum);
  grad = classes.put(grad, classes.pick(grad) - 1);
  return {(top + sum.log() - classes.pick(all)).mean(), grad.div_(static_cast<double>(all.size(0)))};
}

}  // namespace facex::heads::reference

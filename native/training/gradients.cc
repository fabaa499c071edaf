#include "training/gradients.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/scalar_tensor.h>

#include "training/gradient_norm.h"

namespace facex::training {

namespace {

// The gradients of each device: class centres may live on the CPU while everything else is elsewhere.
std::vector<std::vector<Tensor>> by_device(const std::vector<Tensor>& grads) {
  std::vector<std::vector<Tensor>> lists;
  for (const Tensor& grad : grads) {
    auto list = std::find_if(lists.begin(), lists.end(), [&](const auto& other) { return other[0].device() == grad.device(); });
    if (list == lists.end()) list = lists.emplace(lists.end());
    list->push_back(grad);
  }
  return lists;
}

double norm_over(const std::vector<Tensor>& grads) {
  double norm = 0;
  for (const std::vector<Tensor>& list : by_device(grads)) norm = std::hypot(norm, l2_norm(list));
  return norm;
}

void multiply(const std::vector<Tensor>& grads, double factor) {
  for (const std::vector<Tensor>& list : by_device(grads)) at::_foreach_mul_(list, factor);
}

}  // namespace

Gradients::Gradients(const std::vector<NamedEntry>& parameters, double scale, Collective* group) : group_(group), factor_(1 / scale) {
  for (const NamedEntry& parameter : parameters) {
    if (!parameter.entry->grad.defined()) continue;
    grads_.push_back({parameter.name.substr(0, parameter.name.find('.')), parameter.entry->grad, parameter.part.whole > 0});
  }
}

double Gradients::norm() {
  if (norm_ < 0) norm_ = factor_ * norm_of("");
  return norm_;
}

void Gradients::clip(double max_norm, const std::string& part) {
  const double found = part.empty() ? norm() : factor_ * norm_of(part);
  if (!std::isfinite(found) || found <= max_norm) return;
  if (part.empty()) {
    factor_ *= max_norm / found;
    norm_ = max_norm;
  } else {
    multiply(of(part), max_norm / found);
    norm_ = -1;
  }
}

double Gradients::norm_of(const std::string& part) const {
  if (group_ == nullptr) return norm_over(of(part));
  // Copies count once, by the number that rank 0 finds, so that no rank can round another way.
  std::vector<Tensor> counted;
  for (const Gradient& grad : grads_) {
    if ((part.empty() || grad.part == part) && (grad.is_part || group_->rank() == 0)) counted.push_back(grad.value);
  }
  const double own = norm_over(counted);
  const Tensor square = at::scalar_tensor(own * own, at::kDouble).view({1});
  group_->all_reduce(square, Reduction::kSum);
  return std::sqrt(square.item<double>());
}

std::vector<Tensor> Gradients::of(const std::string& part) const {
  std::vector<Tensor> list;
  for (const Gradient& grad : grads_) {
    if (part.empty() || grad.part == part) list.push_back(grad.value);
  }
  return list;
}

void clear_gradients(const Parts& parts) {
  for (const NamedEntry& named : named_entries(parts)) clear_grad(*named.entry);
}

}  // namespace facex::training

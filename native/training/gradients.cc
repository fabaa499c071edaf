#include "training/gradients.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

namespace facex::training {

Gradients::Gradients(const std::vector<NamedEntry>& parameters, double scale) : factor_(1 / scale) {
  for (const NamedEntry& parameter : parameters) {
    if (parameter.entry->grad.defined()) grads_.push_back(parameter.entry->grad);
  }
}

double Gradients::norm() {
  if (norm_ < 0) {
    std::vector<Tensor> norms;
    for (const Tensor& norm : at::_foreach_norm(grads_)) norms.push_back(norm.to(at::kDouble));
    norm_ = norms.empty() ? 0 : factor_ * at::linalg_vector_norm(at::stack(norms)).item<double>();
  }
  return norm_;
}

void Gradients::clip(double max_norm) {
  const double found = norm();
  if (!std::isfinite(found) || found <= max_norm) return;
  factor_ *= max_norm / found;
  norm_ = max_norm;
}

void Gradients::apply() {
  if (factor_ != 1 && !grads_.empty()) at::_foreach_mul_(grads_, factor_);
  factor_ = 1;
}

void clear_gradients(const Parts& parts) {
  for (const NamedEntry& named : named_entries(parts)) named.entry->grad = Tensor();
}

}  // namespace facex::training

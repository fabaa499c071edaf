#include "training/gradients.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

namespace facex::training {

namespace {

double norm_of(const std::vector<Tensor>& grads) {
  if (grads.empty()) return 0;
  std::vector<Tensor> norms;
  for (const Tensor& norm : at::_foreach_norm(grads)) norms.push_back(norm.to(at::kDouble));
  return at::linalg_vector_norm(at::stack(norms)).item<double>();
}

}  // namespace

Gradients::Gradients(const std::vector<NamedEntry>& parameters, double scale) : factor_(1 / scale) {
  for (const NamedEntry& parameter : parameters) {
    if (!parameter.entry->grad.defined()) continue;
    grads_.push_back({parameter.name.substr(0, parameter.name.find('.')), parameter.entry->grad});
  }
}

double Gradients::norm() {
  if (norm_ < 0) norm_ = factor_ * norm_of(of(""));
  return norm_;
}

void Gradients::clip(double max_norm, const std::string& part) {
  const double found = part.empty() ? norm() : factor_ * norm_of(of(part));
  if (!std::isfinite(found) || found <= max_norm) return;
  if (part.empty()) {
    factor_ *= max_norm / found;
    norm_ = max_norm;
  } else {
    at::_foreach_mul_(of(part), max_norm / found);
    norm_ = -1;
  }
}

void Gradients::apply() {
  if (factor_ != 1 && !grads_.empty()) at::_foreach_mul_(of(""), factor_);
  factor_ = 1;
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

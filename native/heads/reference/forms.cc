#include "heads/reference/forms.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>

#include <limits>

namespace facex::heads::reference {

Tensor lengths(const Tensor& x) { return at::linalg_vector_norm(x, 2, {1}, /*keepdim=*/true); }

Tensor unit_rows(const Tensor& x) { return x / lengths(x).clamp_min(1e-12); }

Tensor products(const Inputs& in, const Tensor& a, const Tensor& b) {
  if (!in.options.bf16_products) return a.mm(b.t());
  return a.to(at::kBFloat16).mm(b.to(at::kBFloat16).t()).to(a.scalar_type());
}

Tensor cosines(const Inputs& in) {
  const Tensor all = in.labels.cut(products(in, unit_rows(in.embeddings), unit_rows(in.centres)).clamp(-1, 1));
  if (all.size(1) == in.options.num_class) return all;
  return std::get<0>(all.view({all.size(0), in.options.num_class, -1}).max(2));
}

Tensor own(const Tensor& cosines, const OwnClasses& labels) { return labels.pick(cosines); }

Tensor with_own(const Tensor& cosines, const OwnClasses& labels, const Tensor& value) { return labels.put(cosines, value); }

Tensor sine(const Tensor& cosine) {
  const double epsilon = cosine.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  return (1 - cosine * cosine).clamp_min(epsilon).sqrt();
}

Tensor add_angle(const Tensor& cosine, double margin) {
  return cosine * std::cos(margin) - sine(cosine) * std::sin(margin);
}

Tensor add_angle(const Tensor& cosine, const Tensor& margin) {
  return cosine * margin.cos() - sine(cosine) * margin.sin();
}

Tensor add_angle_guarded(const Tensor& cosine, double margin, double fallback) {
  return at::where(cosine > -std::cos(margin), add_angle(cosine, margin), cosine - fallback);
}

Tensor adapted(const Inputs& in, const std::string& name, const Tensor& value) {
  Entry& entry = *in.state.find(name);
  if (!in.adapt) return entry.value;
  entry.value.copy_(value.detach().view(entry.value.sizes()));
  ++entry.version;
  return entry.value;
}

}  // namespace facex::heads::reference

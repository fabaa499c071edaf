#include "heads/reference/forms.h"

#include <ATen/ops/linalg_vector_norm.h>

#include <limits>

namespace facex::heads::reference {

Tensor unit_rows(const Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, {1}, /*keepdim=*/true).clamp_min(1e-12);
}

Tensor cosines(const Inputs& in) {
  return unit_rows(in.embeddings).mm(unit_rows(in.centres).t()).clamp(-1, 1);
}

Tensor own(const Tensor& cosines, const Tensor& labels) { return cosines.gather(1, labels.unsqueeze(1)); }

Tensor with_own(const Tensor& cosines, const Tensor& labels, const Tensor& value) {
  return cosines.scatter(1, labels.unsqueeze(1), value);
}

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

}  // namespace facex::heads::reference

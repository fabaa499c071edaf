// AdaCos (arXiv:1905.00292).
#include <ATen/ops/logsumexp.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

namespace {

// ln B / cos(min(pi / 4, median angle)), at least 1.
Tensor next_scale(const Tensor& cos, const OwnClasses& labels, const Tensor& scale) {
  const Tensor others = with_own(scale * cos, labels, own(cos, labels) * 0 - INFINITY);
  const Tensor own_b = others.flatten().logsumexp(0), top = labels.max(own_b);
  const Tensor log_b = top + labels.sum((own_b - top).exp()).log() - std::log(static_cast<double>(cos.size(0)));
  const Tensor median_angle = own(cos, labels).acos().median();
  return (log_b / median_angle.clamp_max(M_PI_4).cos()).clamp_min(1);
}

}  // namespace

Logits ada_cos(const Inputs& in) {
  const Tensor cos = cosines(in), scale = in.state.find("scale")->value;
  if (all_classes(in.options) == 1) return {scale * cos};
  return {adapted(in, "scale", next_scale(cos.detach(), in.labels, scale)) * cos};
}

}  // namespace facex::heads::reference

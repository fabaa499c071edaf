// AdaFace (arXiv:2204.00964).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits ada_face(const Inputs& in) {
  const double margin = number(in.options, "margin"), weight = number(in.options, "t_alpha");
  const Tensor length = lengths(in.embeddings).detach().clamp(0.001, 100);
  const Tensor mean_before = in.state.find("batch_mean")->value, std_before = in.state.find("batch_std")->value;
  const Tensor std_now = length.size(0) > 1 ? (1 - weight) * std_before + weight * length.std() : std_before;
  const Tensor mean = adapted(in, "batch_mean", (1 - weight) * mean_before + weight * length.mean());
  const Tensor std = adapted(in, "batch_std", std_now);
  const Tensor z = (number(in.options, "h") * (length - mean) / (std + 0.001)).clamp(-1, 1);

  const Tensor cos = cosines(in), cos_y = own(cos, in.labels), angle = -margin * z;
  const Tensor below_0 = (angle < 0).logical_and(cos_y > angle.cos()), above_pi = (angle > 0).logical_and(cos_y < -angle.cos());
  const Tensor turned = at::where(below_0, 1, at::where(above_pi, -1, add_angle(cos_y, angle)));
  return {number(in.options, "scale") * with_own(cos, in.labels, turned - (margin + margin * z))};
}

}  // namespace facex::heads::reference

// NPCFace (arXiv:2007.10172).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits npc_face(const Inputs& in) {
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor above = (cos > add_angle(cos_y, number(in.options, "margin"))).to(cos.dtype()).detach();
  const Tensor hard = with_own(above, in.labels, cos_y.detach() * 0);
  const Tensor mean_hard = in.labels.sum((hard * cos.detach()).sum(1, /*keepdim=*/true)) / in.labels.sum(hard.sum(1, /*keepdim=*/true)).clamp_min(1);
  const Tensor own_logit = at::where(cos_y > 0, add_angle(cos_y, 0.40 + 0.20 * mean_hard), cos_y);
  const Tensor mined = at::where(hard > 0, 1.10 * cos + 0.20, cos);
  return {number(in.options, "scale") * with_own(mined, in.labels, own_logit)};
}

}  // namespace facex::heads::reference

// CurricularFace (arXiv:2004.00288).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits curricular_face(const Inputs& in) {
  const double margin = number(in.options, "margin");
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor t = adapted(in, "t", 0.99 * in.state.find("t")->value + 0.01 * cos_y.detach().mean());
  const Tensor mined = at::where(cos > add_angle(cos_y, margin).detach(), cos * (t + cos), cos);
  const Tensor own_logit = add_angle_guarded(cos_y, margin, margin * std::sin(margin));
  return {number(in.options, "scale") * with_own(mined, in.labels, own_logit)};
}

}  // namespace facex::heads::reference

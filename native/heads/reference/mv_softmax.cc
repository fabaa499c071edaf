// MV-Softmax (arXiv:1912.00833).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits mv_softmax(const Inputs& in) {
  const bool on_cosine = number(in.options, "is_am") != 0;
  const double margin = number(in.options, "margin"), weight = number(in.options, "mv_weight");
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor margined = on_cosine ? cos_y - margin : add_angle(cos_y, margin);
  const Tensor own_logit = at::where(cos_y > (on_cosine ? margin : 0), margined, cos_y);
  const Tensor mined = at::where(cos > margined.detach(), weight * cos + weight - 1, cos);
  return {number(in.options, "scale") * with_own(mined, in.labels, own_logit)};
}

}  // namespace facex::heads::reference

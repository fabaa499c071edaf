// ArcFace (arXiv:1801.07698).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits arc_face(const Inputs& in) {
  const double margin = number(in.options, "margin_arc");
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor below_pi = cos_y > std::cos(M_PI - margin);
  const Tensor margined = at::where(below_pi, add_angle(cos_y, margin), cos_y - number(in.options, "margin_am"));
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

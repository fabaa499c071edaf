// MagFace (arXiv:2103.06627).
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits mag_face(const Inputs& in) {
  const double low = number(in.options, "l_a"), high = number(in.options, "u_a");
  const double low_margin = number(in.options, "l_margin"), high_margin = number(in.options, "u_margin");
  const Tensor a = lengths(in.embeddings).clamp(low, high);
  const Tensor margin = low_margin + (high_margin - low_margin) / (high - low) * (a - low);
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor own_logit = at::where(cos_y > -margin.cos(), add_angle(cos_y, margin), cos_y - number(in.options, "margin_am"));
  const Tensor regulariser = in.labels.share() * number(in.options, "lamda") * (a / (high * high) + 1 / a).mean();
  return {number(in.options, "scale") * with_own(cos, in.labels, own_logit), regulariser};
}

}  // namespace facex::heads::reference

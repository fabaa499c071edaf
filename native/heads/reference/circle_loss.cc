// CircleLoss in its classification form (arXiv:2002.10857).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits circle_loss(const Inputs& in) {
  const double margin = number(in.options, "margin");
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor weight_p = (1 + margin - cos_y.detach()).clamp_min(0), weight_n = (cos.detach() + margin).clamp_min(0);
  const Tensor logits = with_own(weight_n * (cos - margin), in.labels, weight_p * (cos_y - (1 - margin)));
  return {number(in.options, "gamma") * logits};
}

}  // namespace facex::heads::reference

// Combined margin (arXiv:1801.07698, section 2.3).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits combined_margin(const Inputs& in) {
  const Tensor cos = cosines(in);
  const double epsilon = cos.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  const double limit = std::sqrt(1 - epsilon);
  const Tensor angle = number(in.options, "m1") * own(cos, in.labels).clamp(-limit, limit).acos() + number(in.options, "m2");
  const Tensor k = (angle.detach() / M_PI).floor(), sign = 1 - 2 * k.remainder(2);
  const Tensor margined = sign * angle.cos() - 2 * k - number(in.options, "m3");
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

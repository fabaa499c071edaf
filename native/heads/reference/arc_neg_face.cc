// ArcNegFace (ICCV 2019 workshop).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits arc_neg_face(const Inputs& in) {
  const double margin = number(in.options, "margin");
  const Tensor cos = cosines(in);
  const Tensor a = add_angle_guarded(own(cos, in.labels), margin, margin * std::sin(margin));
  const Tensor weight = number(in.options, "alpha") * (-(cos - a).square() / number(in.options, "sigma")).exp().detach();
  return {number(in.options, "scale") * with_own(weight * cos + weight - 1, in.labels, a)};
}

}  // namespace facex::heads::reference

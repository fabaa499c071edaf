// Sub-center ArcFace (ECCV 2020); cosines() already took the nearest centre of each class.
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits sub_center_arc_face(const Inputs& in) {
  const double margin = number(in.options, "margin");
  const Tensor cos = cosines(in);
  const Tensor margined = add_angle_guarded(own(cos, in.labels), margin, margin * std::sin(margin));
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

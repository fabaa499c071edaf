// ArcFace (arXiv:1801.07698).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits arc_face(const Inputs& in) {
  const Tensor cos = cosines(in);
  const Tensor margined = add_angle_guarded(own(cos, in.labels), number(in.options, "margin_arc"), number(in.options, "margin_am"));
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

// AM-Softmax / CosFace (arXiv:1801.05599, arXiv:1801.09414).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits am_softmax(const Inputs& in) {
  const Tensor cos = cosines(in);
  const Tensor margined = own(cos, in.labels) - number(in.options, "margin");
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

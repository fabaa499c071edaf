// AdaM-Softmax (AdaptiveFace, CVPR 2019).
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits adam_softmax(const Inputs& in) {
  const Tensor& adam = in.parameters.at("adam");
  const Tensor held = adam + (adam.clamp(0, 1) - adam).detach();  // the value is held in [0, 1], the gradient passes
  adapted(in, "adam", held);
  const Tensor cos = cosines(in);
  const Tensor margin = held.view(-1).index_select(0, in.labels.index().clamp_min(0)).unsqueeze(1);
  const Tensor regulariser = number(in.options, "lamda") * (in.labels.share() - held.sum() / static_cast<double>(all_classes(in.options)));
  return {number(in.options, "scale") * with_own(cos, in.labels, own(cos, in.labels) - margin), regulariser};
}

}  // namespace facex::heads::reference

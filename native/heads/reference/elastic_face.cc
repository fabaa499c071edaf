// ElasticFace (arXiv:2109.09416).
#include <ATen/ops/tensor.h>

#include "heads/elastic_margins.h"
#include "heads/options.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits elastic_face(const Inputs& in) {
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels);
  const Tensor margin = at::tensor(elastic_margins(in.state, in.options, cos.size(0), in.adapt)).to(cos.options()).unsqueeze(1);
  const Tensor margined = choice(in.options, "loss_type") == "arc" ? add_angle(cos_y, margin) : cos_y - margin;
  return {number(in.options, "scale") * with_own(cos, in.labels, margined)};
}

}  // namespace facex::heads::reference

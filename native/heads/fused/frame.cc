#include "heads/fused/frame.h"

#include <ATen/ops/empty_like.h>

namespace facex::heads::fused {

Tensor HeadFrame::lend_gradient(const Tensor& centres) {
  // Ours again when the optimizer has let go of it.
  if (!centre_grad_.defined() || centre_grad_.storage().use_count() > 1) centre_grad_ = at::empty_like(centres);
  const bool columns = definition_.centres.shape == CentreShape::kColumns;
  return columns ? centre_grad_.t() : centre_grad_.view(centre_grad_.sizes());
}

}  // namespace facex::heads::fused

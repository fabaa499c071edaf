// CircleLoss in its classification form (arXiv:2002.10857):
//   logit_y = gamma a_y (cos_y - (1 - m)),  a_y = max(1 + m - cos_y, 0)
//   logit_j = gamma a_j (cos_j - m),        a_j = max(cos_j + m, 0)
// The weights a are constant in the gradient, as in the paper; nothing special happens at cos = ±1.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct CircleLoss : Margin<T> {
  const T margin, gamma;

  explicit CircleLoss(const HeadOptions& options) : margin(number(options, "margin")), gamma(number(options, "gamma")) {}

  TargetLogit<T> target(const Row<T>& row) const {
    const T weight = gamma * std::max(1 + margin - row.cosine, T(0));
    return {weight * (row.cosine - (1 - margin)), weight};
  }

  CircleOthers<T> form() const { return {gamma, margin}; }
};

}  // namespace

std::unique_ptr<Head> circle_loss(const Definition& definition, const HeadOptions& options) {
  return make_fused<CircleLoss>(definition, options);
}

}  // namespace facex::heads::fused

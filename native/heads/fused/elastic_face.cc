// ElasticFace (arXiv:2109.09416): ArcFace or CosFace with a margin drawn anew for every sample, m_i ~ N(m, std^2).
//   logit_y = s cos(theta_y + m_i)  (loss_type arc)   or   s (cos_y - m_i)  (loss_type cos);  logit_j = s cos_j
// Random streams come from the head's seed and a step counter that is part of its state. The gradient is exact except
// at cos_y = ±1, see [Note: the sine at cos = ±1].
#include "heads/elastic_margins.h"
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct ElasticFace : Margin<T> {
  const HeadOptions options;
  const bool on_angle;

  explicit ElasticFace(const HeadOptions& given) : options(given), on_angle(choice(given, "loss_type") == "arc") {
    this->scale = number(options, "scale");
  }

  void prepare(Step<T>& step) {
    const auto margins = elastic_margins(step.state, options, static_cast<int64_t>(step.rows.size()), step.adapt);
    for (Row<T>& row : step.rows) row.margin = static_cast<T>(margins[row.index]);
  }

  TargetLogit<T> target(const Row<T>& row) const {
    const TargetLogit<T> logit = on_angle ? add_angle(row.cosine, std::cos(row.margin), std::sin(row.margin))
                                          : TargetLogit<T>{row.cosine - row.margin, T(1)};
    return scaled(logit, this->scale);
  }
};

}  // namespace

std::unique_ptr<Head> elastic_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<ElasticFace>(definition, options);
}

}  // namespace facex::heads::fused

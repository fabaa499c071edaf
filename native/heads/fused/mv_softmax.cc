// MV-Softmax (arXiv:1912.00833), on the cosine (is_am) or on the angle:
//   margined_y = cos_y - m                    or  cos(theta_y + m)
//   logit_y    = s margined_y where cos_y > m or  cos_y > 0, else s cos_y
//   logit_j    = s (w cos_j + w - 1) where cos_j > margined_y, else s cos_j
// The set of hard classes is constant in the gradient. At cos_y = ±1 see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/mined.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct MvSoftmax : MinedMargin<T> {
  const bool on_cosine;
  const T margin, cos_m, sin_m;

  explicit MvSoftmax(const HeadOptions& options)
      : on_cosine(number(options, "is_am") != 0), margin(number(options, "margin")), cos_m(std::cos(margin)), sin_m(std::sin(margin)) {
    this->scale = number(options, "scale");
    this->weight = number(options, "mv_weight");
    this->offset = this->weight - 1;
  }

  TargetLogit<T> margined(T cosine) const {
    return on_cosine ? TargetLogit<T>{cosine - margin, T(1)} : add_angle(cosine, cos_m, sin_m);
  }

  void prepare(Step<T>& step) {
    for (Row<T>& row : step.rows) row.threshold = margined(row.cosine).value;
  }

  TargetLogit<T> target(const Row<T>& row) const {
    if (row.cosine > (on_cosine ? margin : T(0))) return scaled(margined(row.cosine), this->scale);
    return {this->scale * row.cosine, this->scale};
  }
};

}  // namespace

std::unique_ptr<Head> mv_softmax(const Definition& definition, const HeadOptions& options) {
  return make_fused<MvSoftmax>(definition, options);
}

}  // namespace facex::heads::fused

// ArcFace (arXiv:1801.07698): logit_y = s cos(theta_y + m), logit_j = s cos_j; where theta_y + m would exceed pi,
// logit_y = s (cos_y - margin_am).
// The gradient is exact except at cos_y = ±1, see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct ArcFace : Margin<T> {
  T cos_m, sin_m, margin_am;

  explicit ArcFace(const HeadOptions& options)
      : cos_m(std::cos(number(options, "margin_arc"))), sin_m(std::sin(number(options, "margin_arc"))), margin_am(number(options, "margin_am")) {
    this->scale = number(options, "scale");
  }

  TargetLogit<T> target(const Row<T>& row) const {
    return scaled(add_angle_guarded(row.cosine, cos_m, sin_m, margin_am), this->scale);
  }
};

}  // namespace

std::unique_ptr<Head> arc_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<ArcFace>(definition, options);
}

}  // namespace facex::heads::fused

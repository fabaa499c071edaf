// Sub-center ArcFace (ECCV 2020): several centres a class, the nearest one counts; then ArcFace.
//   cos_k   = max over the centres c of class k of cos(x, w_kc)
//   logit_y = s cos(theta_y + m), or s (cos_y - m sin m) where theta_y + m would exceed pi;  logit_j = s cos_j
// Only the nearest centre of a class receives a gradient (the first of equals). At cos_y = ±1 see
// [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct SubCenterArcFace : Margin<T> {
  const T cos_m, sin_m, fallback;

  explicit SubCenterArcFace(const HeadOptions& options)
      : cos_m(std::cos(number(options, "margin"))), sin_m(std::sin(number(options, "margin"))), fallback(sin_m * number(options, "margin")) {
    this->scale = number(options, "scale");
  }

  TargetLogit<T> target(const Row<T>& row) const {
    return scaled(add_angle_guarded(row.cosine, cos_m, sin_m, fallback), this->scale);
  }
};

}  // namespace

std::unique_ptr<Head> sub_center_arc_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<SubCenterArcFace>(definition, options);
}

}  // namespace facex::heads::fused

// MagFace (arXiv:2103.06627): the margin grows with the embedding's length a = clamp(|x|, l_a, u_a).
//   m(a)    = l_margin + (u_margin - l_margin) (a - l_a) / (u_a - l_a)
//   logit_y = s cos(theta_y + m(a)), or s (cos_y - margin_am) where theta_y + m would exceed pi;  logit_j = s cos_j
//   loss    = cross-entropy + lamda mean(a / u_a^2 + 1 / a)
// The gradient is exact, through m(a) and the regulariser to |x| too; outside [l_a, u_a] the length receives none. At
// cos_y = ±1 see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct MagFace : Margin<T> {
  const T low, high, low_margin, growth, margin_am, lambda;

  explicit MagFace(const HeadOptions& options)
      : low(number(options, "l_a")), high(number(options, "u_a")), low_margin(number(options, "l_margin")),
        growth((number(options, "u_margin") - number(options, "l_margin")) / (number(options, "u_a") - number(options, "l_a"))),
        margin_am(number(options, "margin_am")), lambda(number(options, "lamda")) {
    this->scale = number(options, "scale");
  }

  bool inside(const Row<T>& row) const { return row.norm >= low && row.norm <= high; }

  TargetLogit<T> target(const Row<T>& row) const {
    const T margin = low_margin + growth * (std::clamp(row.norm, low, high) - low);
    const T cos_m = std::cos(margin), sin_m = std::sin(margin);
    TargetLogit<T> logit = add_angle_guarded(row.cosine, cos_m, sin_m, margin_am);
    if (row.cosine > -cos_m && inside(row)) {
      logit.norm_slope = -(Sine<T>(row.cosine).value * cos_m + row.cosine * sin_m) * growth;
    }
    return scaled(logit, this->scale);
  }

  double finish(Step<T>& step) {
    double total = 0;
    for (Row<T>& row : step.rows) {
      const T a = std::clamp(row.norm, low, high);
      total += a / (high * high) + 1 / a;
      if (inside(row)) row.norm_grad += step.row_scale() * lambda * (1 / (high * high) - 1 / (a * a));
    }
    return lambda * total / static_cast<double>(step.rows.size());
  }
};

}  // namespace

std::unique_ptr<Head> mag_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<MagFace>(definition, options);
}

}  // namespace facex::heads::fused

// Combined margin (arXiv:1801.07698, section 2.3): SphereFace's factor m1, ArcFace's m2 and CosFace's m3 in one.
//   logit_y = s (psi(m1 theta_y + m2) - m3),  logit_j = s cos_j
//   psi(a)  = (-1)^k cos(a) - 2k,  k = floor(a / pi): cos(a) up to pi, continued so that it keeps falling
// The gradient is exact. cos_y is held within ±sqrt(1 - epsilon) and receives no gradient beyond.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct CombinedMargin : Margin<T> {
  const T m1, m2, m3;

  explicit CombinedMargin(const HeadOptions& options) : m1(number(options, "m1")), m2(number(options, "m2")), m3(number(options, "m3")) {
    this->scale = number(options, "scale");
  }

  TargetLogit<T> target(const Row<T>& row) const {
    const T limit = std::sqrt(1 - std::numeric_limits<T>::epsilon());
    const T cosine = std::clamp(row.cosine, -limit, limit);
    const T angle = m1 * std::acos(cosine) + m2;
    const T k = std::floor(angle / T(M_PI)), sign = std::fmod(k, T(2)) == 0 ? T(1) : T(-1);
    const T slope = cosine == row.cosine ? sign * std::sin(angle) * m1 / std::sqrt(1 - cosine * cosine) : T(0);
    return {this->scale * (sign * std::cos(angle) - 2 * k - m3), this->scale * slope};
  }
};

}  // namespace

std::unique_ptr<Head> combined_margin(const Definition& definition, const HeadOptions& options) {
  return make_fused<CombinedMargin>(definition, options);
}

}  // namespace facex::heads::fused

// CurricularFace (arXiv:2004.00288):
//   t          <- 0.99 t + 0.01 mean(cos_y)             before use
//   logit_y    = s cos(theta_y + m), or s (cos_y - m sin m) where theta_y + m would exceed pi
//   logit_j    = s cos_j (t + cos_j) where cos_j > cos(theta_y + m), else s cos_j
// t and the set of hard classes are constant in the gradient. At cos_y = ±1 see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

constexpr double kMomentum = 0.01;  // of the running mean t

template <typename T>
struct CurricularFace : Margin<T> {
  const T cos_m, sin_m, fallback;
  T t = 0;

  explicit CurricularFace(const HeadOptions& options)
      : cos_m(std::cos(number(options, "margin"))), sin_m(std::sin(number(options, "margin"))), fallback(sin_m * number(options, "margin")) {
    this->scale = number(options, "scale");
  }

  void prepare(Step<T>& step) {
    Entry& entry = *step.state.find("t");
    t = entry.value.template item<T>();
    if (step.adapt) {
      T mean = 0;
      for (const Row<T>& row : step.rows) mean += row.cosine / static_cast<T>(step.rows.size());
      t = T(1 - kMomentum) * t + T(kMomentum) * mean;
      entry.value.fill_(t);
      ++entry.version;
    }
    for (Row<T>& row : step.rows) row.threshold = add_angle(row.cosine, cos_m, sin_m).value;
  }

  TargetLogit<T> target(const Row<T>& row) const {
    return scaled(add_angle_guarded(row.cosine, cos_m, sin_m, fallback), this->scale);
  }

  CurricularOthers<T> form() const { return {this->scale, t}; }
};

}  // namespace

std::unique_ptr<Head> curricular_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<CurricularFace>(definition, options);
}

}  // namespace facex::heads::fused

// ArcNegFace (Y. Liu et al., "Towards flops-constrained face recognition", ICCV 2019 workshop): other classes weigh by
// how near their cosine is to the margined one.
//   a       = cos(theta_y + m), or cos_y - m sin m where theta_y + m would exceed pi
//   logit_y = s a
//   logit_j = s (r_j cos_j + r_j - 1),  r_j = alpha exp(-(cos_j - a)^2 / sigma)
// The weights r are constant in the gradient. At cos_y = ±1 see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct ArcNegFace : Margin<T> {
  const T cos_m, sin_m, fallback, alpha, inverse_sigma;

  explicit ArcNegFace(const HeadOptions& options)
      : cos_m(std::cos(number(options, "margin"))), sin_m(std::sin(number(options, "margin"))), fallback(sin_m * number(options, "margin")),
        alpha(number(options, "alpha")), inverse_sigma(1 / number(options, "sigma")) {
    this->scale = number(options, "scale");
  }

  void prepare(Step<T>& step) {
    for (Row<T>& row : step.rows) row.threshold = add_angle_guarded(row.cosine, cos_m, sin_m, fallback).value;
  }

  TargetLogit<T> target(const Row<T>& row) const {
    return scaled(add_angle_guarded(row.cosine, cos_m, sin_m, fallback), this->scale);
  }

  ArcNegOthers<T> form() const { return {this->scale, alpha, inverse_sigma}; }

  // The same with the vectorised exponential of the CPU.
  void weights(const Row<T>& row, const T* __restrict__ cosines, T* __restrict__ r, int64_t count) const {
    const T a = row.threshold;
    for (int64_t j = 0; j < count; ++j) r[j] = -(cosines[j] - a) * (cosines[j] - a) * inverse_sigma;
    exp_shifted(r, count, T(0));
    for (int64_t j = 0; j < count; ++j) r[j] *= alpha;
  }

  void others(const Row<T>& row, const T* __restrict__ cosines, T* __restrict__ logits, int64_t count) const {
    weights(row, cosines, logits, count);
    for (int64_t j = 0; j < count; ++j) logits[j] = this->scale * (logits[j] * cosines[j] + logits[j] - 1);
  }

  void backward(Row<T>& row, const T* __restrict__ cosines, T* __restrict__ grad, int64_t count) const {
    T r[kTile];
    weights(row, cosines, r, count);
    for (int64_t j = 0; j < count; ++j) grad[j] *= this->scale * r[j];
  }
};

}  // namespace

std::unique_ptr<Head> arc_neg_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<ArcNegFace>(definition, options);
}

}  // namespace facex::heads::fused

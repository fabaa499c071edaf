// AdaFace (arXiv:2204.00964): the longer an embedding (the better the image), the more its margin works on the cosine.
//   n       = clamp(|x|, 0.001, 100);  mean, std of n over the batch are averaged with weight t_alpha, before use
//   z       = clamp(h (n - mean) / (std + 0.001), -1, 1)
//   logit_y = s (cos(clamp(theta_y - m z, 0, pi)) - (m + m z)),  logit_j = s cos_j
// z is constant in the gradient, as in the paper. At cos_y = ±1 see [Note: the sine at cos = ±1]; where the angle is
// clamped the slope is 0. A batch of one leaves the averaged std as it is.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

constexpr double kShortestNorm = 0.001, kLongestNorm = 100, kStdFloor = 0.001;

template <typename T>
struct AdaFace : Margin<T> {
  const T margin, concentration, weight;

  explicit AdaFace(const HeadOptions& options) : margin(number(options, "margin")), concentration(number(options, "h")), weight(number(options, "t_alpha")) {
    this->scale = number(options, "scale");
  }

  void prepare(Step<T>& step) {
    Entry& mean = *step.state.find("batch_mean");
    Entry& deviation = *step.state.find("batch_std");
    if (step.adapt) average(step.rows, mean, deviation);
    const T center = mean.value.template item<T>(), width = deviation.value.template item<T>() + T(kStdFloor);
    for (Row<T>& row : step.rows) row.margin = std::clamp(concentration * (length(row) - center) / width, T(-1), T(1));
  }

  TargetLogit<T> target(const Row<T>& row) const {
    const T angle = -margin * row.margin, penalty = margin + margin * row.margin;
    const T cos_m = std::cos(angle), sin_m = std::sin(angle);
    TargetLogit<T> logit = add_angle(row.cosine, cos_m, sin_m);
    if (angle < 0 && row.cosine > cos_m) logit = {T(1), T(0)};     // theta + angle < 0
    if (angle > 0 && row.cosine < -cos_m) logit = {T(-1), T(0)};   // theta + angle > pi
    logit.value -= penalty;
    return scaled(logit, this->scale);
  }

 private:
  static T length(const Row<T>& row) { return std::clamp(row.norm, T(kShortestNorm), T(kLongestNorm)); }

  void average(const std::vector<Row<T>>& rows, Entry& mean, Entry& deviation) const {
    const T n = static_cast<T>(rows.size());
    T sum = 0, squares = 0;
    for (const Row<T>& row : rows) sum += length(row);
    for (const Row<T>& row : rows) squares += (length(row) - sum / n) * (length(row) - sum / n);
    mean.value.mul_(1 - weight).add_(weight * sum / n);
    ++mean.version;
    if (rows.size() < 2) return;
    deviation.value.mul_(1 - weight).add_(weight * std::sqrt(squares / (n - 1)));
    ++deviation.version;
  }
};

}  // namespace

std::unique_ptr<Head> ada_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<AdaFace>(definition, options);
}

}  // namespace facex::heads::fused

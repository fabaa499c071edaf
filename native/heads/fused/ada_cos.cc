// AdaCos (arXiv:1905.00292): no margin, a scale that follows the training.
//   B     = mean over rows of sum over j != y of exp(s cos_j),  with the scale s of the step before
//   s     <- ln B / cos(min(pi / 4, median theta_y))            before use; starts at sqrt(2) ln(K - 1)
//   logit = s cos
// The scale is constant in the gradient. B is summed relative to exp(s), so nothing overflows; the scale never falls
// below 1, where few classes or wide angles would make it vanish or change sign.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct AdaCos : Margin<T> {
  static constexpr bool kOnCuda = false;  // reads all cosines for its scale

  explicit AdaCos(const HeadOptions&) {}

  void prepare(Step<T>& step) {
    Entry& entry = *step.state.find("scale");
    this->scale = entry.value.template item<T>();
    if (!step.adapt || step.all_classes < 2) return;
    this->scale = next_scale(step);
    entry.value.fill_(this->scale);
    ++entry.version;
  }

  T next_scale(Step<T>& step) const {
    const T s = this->scale;
    step.scan([s](Row<T>& row, const T* cosines, int64_t first, int64_t count) {
      T logit[kTile];
      for (int64_t j = 0; j < count; ++j) logit[j] = s * cosines[j];
      if (row.label >= first && row.label < first + count) logit[row.label - first] = -std::numeric_limits<T>::infinity();
      row.total += exp_shifted(logit, count, s);
    });
    T sum = 0;
    std::vector<T> own;
    for (const Row<T>& row : step.rows) {
      sum += row.total / static_cast<T>(step.rows.size());
      own.push_back(row.cosine);
    }
    // The lower median of the angles is the upper median of the cosines.
    const auto median = own.begin() + static_cast<std::ptrdiff_t>((own.size() - 1) / 2);
    std::nth_element(own.begin(), median, own.end(), std::greater<T>());
    const T log_b = s + std::log(std::max(sum, std::numeric_limits<T>::min()));
    return std::max(log_b / std::max(*median, T(M_SQRT1_2)), T(1));
  }

  TargetLogit<T> target(const Row<T>& row) const { return {this->scale * row.cosine, this->scale}; }
};

}  // namespace

std::unique_ptr<Head> ada_cos(const Definition& definition, const HeadOptions& options) {
  return make_fused<AdaCos>(definition, options);
}

}  // namespace facex::heads::fused

// AdaM-Softmax (AdaptiveFace, CVPR 2019): a learned margin for every class.
//   m_k     = adam_k, held in [0, 1]
//   logit_y = s (cos_y - m_y),  logit_j = s cos_j
//   loss    = cross-entropy + lamda (1 - mean(adam))
// The gradient is exact; the limits are applied to the parameter itself, before use, not to its gradient. Nothing
// special happens at cos = ±1.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct AdamSoftmax : Margin<T> {
  static constexpr bool kOnCuda = false;  // reads its margins by class

  const T lambda;

  explicit AdamSoftmax(const HeadOptions& options) : lambda(number(options, "lamda")) { this->scale = number(options, "scale"); }

  void prepare(Step<T>& step) {
    Entry& entry = *step.state.find("adam");
    if (step.adapt) {
      entry.value.clamp_(0, 1);
      ++entry.version;
    }
    const T* margins = entry.value.template const_data_ptr<T>();
    for (Row<T>& row : step.rows) row.margin = row.label < 0 ? T(0) : std::clamp(margins[row.label], T(0), T(1));
    step.combine(Reduction::kSum, &Row<T>::margin);
  }

  TargetLogit<T> target(const Row<T>& row) const { return {this->scale * (row.cosine - row.margin), this->scale}; }

  double finish(Step<T>& step) {
    Entry& entry = *step.state.find("adam");
    const int64_t classes = step.all_classes, here = entry.value.numel();
    if (step.gradients) {
      Tensor grad = at::empty(entry.value.sizes(), entry.value.options());
      grad.fill_(-lambda * step.grad_scale / static_cast<T>(classes));
      T* g = grad.template mutable_data_ptr<T>();
      for (const Row<T>& row : step.rows) {
        if (row.label >= 0) g[row.label] -= this->scale * row.target_grad;
      }
      accumulate_grad(entry, grad);
    }
    double sum = 0;
    const T* margins = entry.value.template const_data_ptr<T>();
    for (int64_t k = 0; k < here; ++k) sum += std::clamp(margins[k], T(0), T(1));
    return lambda * (1 - step.combine(sum) / static_cast<double>(classes));
  }
};

}  // namespace

std::unique_ptr<Head> adam_softmax(const Definition& definition, const HeadOptions& options) {
  return make_fused<AdamSoftmax>(definition, options);
}

}  // namespace facex::heads::fused

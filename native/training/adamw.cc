// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019).
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include <cmath>

#include "training/optimizers.h"

namespace facex::training {

namespace {

template <typename T>
struct Rule {
  T factor, shrink, beta1, beta2, step, root, eps;  // shrink: 1 - lr * weight decay; step and root: bias corrections taken in
};

template <typename T>
void update(const Rule<T> rule, T* __restrict value, const T* __restrict grad, T* __restrict mean, T* __restrict square, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const T slope = rule.factor * grad[i];
    mean[i] += (T(1) - rule.beta1) * (slope - mean[i]);
    square[i] = rule.beta2 * square[i] + (T(1) - rule.beta2) * slope * slope;
    value[i] = rule.shrink * value[i] - rule.step * mean[i] / (std::sqrt(square[i]) * rule.root + rule.eps);
  }
}

class AdamW final : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, const Parts& parts)
      : Optimizer(options, parts, {"exp_avg", "exp_avg_sq"}),
        beta1_(options.values.at("beta1")),
        beta2_(options.values.at("beta2")),
        eps_(options.values.at("eps")) {}

 private:
  void update_on_cpu(const Bucket& bucket) override {
    const double number = static_cast<double>(updates());
    const double step = bucket.lr / (1 - std::pow(beta1_, number)), root = 1 / std::sqrt(1 - std::pow(beta2_, number));
    bucket.each([&]<typename T>(T* value, const T* grad, const std::array<T*, kMostSlots>& slots, int64_t count) {
      const Rule<T> rule{.factor = static_cast<T>(bucket.grad_factor),
                         .shrink = static_cast<T>(1 - bucket.lr * bucket.weight_decay),
                         .beta1 = static_cast<T>(beta1_),
                         .beta2 = static_cast<T>(beta2_),
                         .step = static_cast<T>(step),
                         .root = static_cast<T>(root),
                         .eps = static_cast<T>(eps_)};
      training::update(rule, value, grad, slots[0], slots[1], count);
    });
  }

  void update_on_device(Bucket& bucket) override {
    // The kernel takes the number of this update once a tensor; all share one here.
    const Tensor count = at::full({}, static_cast<double>(updates()), bucket.values[0].options().dtype(at::kFloat));
    const std::vector<Tensor> counts(bucket.values.size(), count);
    at::_fused_adamw_(bucket.values, bucket.grads, bucket.slots[0], bucket.slots[1], {}, counts, bucket.lr, beta1_,
                      beta2_, bucket.weight_decay, eps_, /*amsgrad=*/false, /*maximize=*/false);
  }

  double beta1_, beta2_, eps_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(const OptimizerOptions& options, const Parts& parts) {
  return std::make_unique<AdamW>(options, parts);
}

}  // namespace facex::training

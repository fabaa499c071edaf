// Stochastic gradient descent with momentum as PyTorch defines it: weight decay is added to the gradient (coupled),
// no dampening, and with Nesterov's momentum the step looks one update ahead.
#include <ATen/ops/_fused_sgd.h>

#include "training/optimizers.h"

namespace facex::training {

namespace {

template <typename T>
struct Rule {
  T factor, decay, momentum, lr;
};

template <bool nesterov, typename T>
void update(const Rule<T> rule, T* __restrict value, const T* __restrict grad, T* __restrict velocity, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const T slope = rule.factor * grad[i] + rule.decay * value[i];
    velocity[i] = rule.momentum * velocity[i] + slope;
    value[i] -= rule.lr * (nesterov ? slope + rule.momentum * velocity[i] : velocity[i]);
  }
}

// Without momentum, Nesterov's or not.
template <typename T>
void descend(const Rule<T> rule, T* __restrict value, const T* __restrict grad, int64_t count) {
  for (int64_t i = 0; i < count; ++i) value[i] -= rule.lr * (rule.factor * grad[i] + rule.decay * value[i]);
}

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const Parts& parts)
      : Optimizer(options, parts, options.values.at("momentum") == 0 ? Slots{} : Slots{"momentum"}),
        momentum_(options.values.at("momentum")),
        nesterov_(options.values.at("nesterov") != 0) {}

 private:
  using Slots = std::vector<std::string>;

  // Momentum starts at zero and dampening is zero, which equals PyTorch's first step that copies the gradient.
  void update_on_cpu(const Bucket& bucket) override {
    bucket.each([&]<typename T>(T* value, const T* grad, const std::array<T*, kMostSlots>& slots, int64_t count) {
      const Rule<T> rule{static_cast<T>(bucket.grad_factor), static_cast<T>(bucket.weight_decay), static_cast<T>(momentum_), static_cast<T>(bucket.lr)};
      if (momentum_ == 0) return training::descend(rule, value, grad, count);
      nesterov_ ? training::update<true>(rule, value, grad, slots[0], count) : training::update<false>(rule, value, grad, slots[0], count);
    });
  }

  void update_on_device(Bucket& bucket) override {
    const std::vector<Tensor> buffers = bucket.slots.empty() ? std::vector<Tensor>() : bucket.slots[0];
    at::_fused_sgd_(bucket.values, bucket.grads, buffers, bucket.weight_decay, momentum_, bucket.lr,
                    /*dampening=*/0, nesterov_, /*maximize=*/false, /*is_first_step=*/false);
  }

  double momentum_;
  bool nesterov_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions& options, const Parts& parts) {
  return std::make_unique<Sgd>(options, parts);
}

}  // namespace facex::training

// Stochastic gradient descent with momentum as PyTorch defines it: weight decay is added to the gradient (coupled),
// no dampening, and with Nesterov's momentum the step looks one update ahead.
#include <ATen/ops/_fused_sgd.h>

#include "training/optimizers.h"

namespace facex::training {

namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const Parts& parts)
      : Optimizer(options, parts, options.values.at("momentum") == 0 ? Slots{} : Slots{"momentum"}),
        momentum_(options.values.at("momentum")),
        nesterov_(options.values.at("nesterov") != 0) {}

 private:
  using Slots = std::vector<std::string>;

  void update_bucket(Bucket& bucket) override {
    // Momentum starts at zero and dampening is zero, which equals PyTorch's first step that copies the gradient.
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

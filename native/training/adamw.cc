// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019).
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include "training/optimizers.h"

namespace facex::training {

namespace {

class AdamW final : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, const Parts& parts)
      : Optimizer(options, parts, {"exp_avg", "exp_avg_sq"}),
        beta1_(options.values.at("beta1")),
        beta2_(options.values.at("beta2")),
        eps_(options.values.at("eps")) {}

 private:
  void update_bucket(Bucket& bucket) override {
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

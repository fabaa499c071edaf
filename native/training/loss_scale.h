// Dynamic loss scaling for float16 (Micikevicius et al., "Mixed Precision Training", 2018): the loss is multiplied so
// that small gradients survive; the factor halves when gradients overflow and doubles after a long calm stretch.
#pragma once

#include <cstdint>

namespace facex::training {

class LossScale {
 public:
  // Without scaling the factor is 1 for ever.
  explicit LossScale(bool enabled) : enabled_(enabled), factor_(enabled ? kInitial : 1) {}

  bool enabled() const { return enabled_; }
  double factor() const { return factor_; }
  int64_t calm_steps() const { return calm_steps_; }

  // Called once a step with whether its gradients were finite.
  void update(bool finite);

  // From a checkpoint.
  void restore(double factor, int64_t calm_steps);

  // Below this the run has failed: no factor makes the gradients finite.
  bool exhausted() const { return enabled_ && factor_ < kSmallest; }

 private:
  static constexpr double kInitial = 65536, kSmallest = 1.0 / 16384;
  static constexpr int64_t kGrowthInterval = 2000;

  bool enabled_;
  double factor_;
  int64_t calm_steps_ = 0;
};

}  // namespace facex::training

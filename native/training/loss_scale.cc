#include "training/loss_scale.h"

namespace facex::training {

void LossScale::update(bool finite) {
  if (!enabled_) return;
  if (!finite) {
    factor_ /= 2;
    calm_steps_ = 0;
  } else if (++calm_steps_ == kGrowthInterval) {
    factor_ *= 2;
    calm_steps_ = 0;
  }
}

void LossScale::restore(double factor, int64_t calm_steps) {
  if (!enabled_) return;
  factor_ = factor;
  calm_steps_ = calm_steps;
}

}  // namespace facex::training

// The gradients of one step on their way to the optimizer: loss scale taken out, checked for being finite, clipped.
// Factors are collected, and multiplied in by the update itself on its way over memory.
#pragma once

#include <vector>

#include "core/collective.h"
#include "training/parts.h"

namespace facex::training {

class Gradients {
 public:
  // `scale` is what the losses of this step were multiplied with.
  // With a group, norms are those of the parts on all ranks, and the same number everywhere.
  Gradients(const std::vector<NamedEntry>& parameters, double scale, Collective* group);

  // L2 norm of all gradients together, loss scale taken out. Not finite when any element is not.
  double norm();

  // Scales the gradients of one part ("head"), or all of them for "", so that their norm is at most `max_norm`.
  void clip(double max_norm, const std::string& part);

  // What all gradients are still to be multiplied with, to be those of the unscaled and clipped loss.
  double factor() const { return factor_; }

 private:
  struct Gradient {
    std::string part;
    Tensor value;
    bool is_part;  // of a tensor that lies on several ranks
  };
  std::vector<Tensor> of(const std::string& part) const;
  double norm_of(const std::string& part) const;

  Collective* group_;
  std::vector<Gradient> grads_;
  double factor_;
  double norm_ = -1;  // of all with factor_ applied; negative: not computed
};

// Drops the gradients of all parameters, so that the next backward starts from nothing.
void clear_gradients(const Parts& parts);

}  // namespace facex::training

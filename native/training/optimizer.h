// Optimizers over groups of named parameters. One call updates all tensors of a group with libtorch's fused kernels,
// which exist for float32 and float64 on the CPU and on CUDA, the only dtypes that master weights have.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "training/parts.h"

namespace facex::training {

struct ParameterGroup {
  std::vector<std::string> names;  // full names; parameters in no group are frozen
  double lr_multiplier = 1;
  double weight_decay = 0;
};

struct OptimizerOptions {
  std::string name;                      // "sgd" or "adamw"
  std::map<std::string, double> values;  // sgd: momentum, nesterov; adamw: beta1, beta2, eps
  std::vector<ParameterGroup> groups;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Parameters that it updates, group by group.
  const std::vector<NamedEntry>& parameters() const { return parameters_; }

  // One update with the gradients as they are. Parameters without a gradient stay untouched, decay included, and so do
  // the slices that a gradient does not cover, with their slots.
  void update(double lr);

  // Zeroes all slots and the count of updates.
  void reset();

  // Slot tensors, named "<slot>.<full parameter name>", such as "momentum.backbone.conv1.weight".
  State& state() { return state_; }

  // Updates made so far; Adam's bias correction depends on it.
  int64_t updates() const { return updates_; }
  void set_updates(int64_t updates) { updates_ = updates; }

 protected:
  // The tensors of one group and device that have a gradient, position by position. slots[s][i] is slot s of values[i].
  struct Bucket {
    std::vector<Tensor> values, grads;
    std::vector<std::vector<Tensor>> slots;
    double lr;
    double weight_decay;
  };

  Optimizer(const OptimizerOptions& options, const Parts& parts, const std::vector<std::string>& slots);
  virtual void update_bucket(Bucket& bucket) = 0;

 private:
  struct Group {
    size_t begin, end;  // range of parameters_
    double lr_multiplier, weight_decay;
  };

  std::vector<NamedEntry> parameters_;
  std::vector<Group> groups_;
  size_t slot_count_;
  State state_;  // slot s of parameter p at s * parameters_.size() + p
  int64_t updates_ = 0;
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const Parts& parts);

}  // namespace facex::training

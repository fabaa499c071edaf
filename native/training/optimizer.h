// Optimizers over groups of named parameters, which are float32 or float64. One pass over memory updates all tensors of a
// group: on the CPU by loops of our own, elsewhere by libtorch's fused kernels.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "training/blocks.h"
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

  // One update with `grad_factor` times the gradients. Parameters without a gradient stay untouched, decay included, and
  // so do the slices that a gradient does not cover, with their slots.
  void update(double lr, double grad_factor = 1);

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
    double grad_factor;

    // body(T* value, const T* grad, slots, count) over blocks of all tensors, from several threads; for CPU tensors.
    template <typename Body>
    void each(Body body) const;
  };
  static constexpr size_t kMostSlots = 2;

  Optimizer(const OptimizerOptions& options, const Parts& parts, const std::vector<std::string>& slots);
  virtual void update_on_cpu(const Bucket& bucket) = 0;
  // The gradients have been multiplied with their factor.
  virtual void update_on_device(Bucket& bucket) = 0;

 private:
  struct Group {
    size_t begin, end;  // range of parameters_
    double lr_multiplier, weight_decay;
  };

  void update_bucket(Bucket& bucket);

  std::vector<NamedEntry> parameters_;
  std::vector<Group> groups_;
  size_t slot_count_;
  State state_;  // slot s of parameter p at s * parameters_.size() + p
  int64_t updates_ = 0;
};

template <typename Body>
void Optimizer::Bucket::each(Body body) const {
  const auto typed = [&]<typename T>(T) {
    Blocks(values).each([&](int64_t, size_t tensor, int64_t first, int64_t count) {
      std::array<T*, kMostSlots> parts{};
      for (size_t s = 0; s < slots.size(); ++s) parts[s] = slots[s][tensor].template mutable_data_ptr<T>() + first;
      body(values[tensor].template mutable_data_ptr<T>() + first, grads[tensor].template const_data_ptr<T>() + first, parts, count);
    });
  };
  values[0].scalar_type() == at::kDouble ? typed(double()) : typed(float());
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const Parts& parts);

}  // namespace facex::training

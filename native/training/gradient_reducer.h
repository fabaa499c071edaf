// Data parallel training: the gradients of the replicated networks are summed over the ranks while backward still runs.
//
// Each rank differentiates the loss of the whole batch by its own images, so the sum is the gradient. Parameters are
// collected in the order in which backward completes them, which the graph alone decides, and go out in buckets; the
// next layers run meanwhile.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "core/collective.h"
#include "core/state.h"

namespace facex::training {

struct ReducerOptions {
  int64_t bucket_bytes = int64_t{4} << 20;
  bool bfloat16 = false;  // gradients travel as bfloat16: half of the volume, 8 bits of mantissa
};

class GradientReducer {
 public:
  // For the gradients of `parameters`, in networks; frozen ones are not among them and stay where they are.
  GradientReducer(Collective& group, const ReducerOptions& options, std::vector<Entry*> parameters);

  // A gradient that nothing will be added to before the update.
  void add(Entry& parameter);

  // Sends what is left of the gradients, waits, and leaves the sums in Entry::grad.
  void finish();

  // Forgets a step that ended early.
  void reset();

 private:
  struct Bucket {
    std::vector<Entry*> entries;
    Tensor flat;
    std::unique_ptr<Collective::Pending> pending;
  };
  void launch();

  Collective& group_;
  const ReducerOptions options_;
  const std::vector<Entry*> parameters_;
  std::set<Entry*> missing_;     // of parameters_, in this step
  std::vector<Entry*> waiting_;  // complete, not sent
  int64_t waiting_bytes_ = 0;
  std::vector<Bucket> sent_;
};

}  // namespace facex::training

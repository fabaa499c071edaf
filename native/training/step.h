// Runs one step of a program: the table of values, the passes that wait for their backward, and the update.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/batch.h"
#include "training/gradient_reducer.h"
#include "training/gradients.h"
#include "training/loss_scale.h"
#include "training/optimizer.h"
#include "training/program.h"
#include "training/recorded_network.h"

namespace facex::training {

// What a step works with; everything outlives it.
struct StepContext {
  const Parts& parts;
  Optimizer& optimizer;
  LossScale& loss_scale;
  std::map<std::string, RecordedNetwork>& recorded;  // networks whose passes with gradient go through graphs
  data::BatchSource& source;
  at::Device device;
  uint64_t seed;   // of the run
  int64_t number;  // steps finished before this one
  double lr;
  Collective* group;            // null: one process
  GradientReducer* reducer;     // of the group
  bool synchronise_statistics;  // of batch norm over the group
  bool skip_non_finite;  // drop an update whose loss or gradients are not finite instead of throwing
};

struct StepOutcome {
  double loss = 0;  // weighted sum over the heads
  int64_t images = 0;  // of all ranks
  bool skipped = false;  // no update was made
};

// Throws ErrorCode::kNonFinite naming the tensor where it starts.
StepOutcome run_step(const Program& program, const StepContext& context);

}  // namespace facex::training

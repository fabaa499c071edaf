// Holds what a run trains and runs its program step by step. Knows nothing of JavaScript, files or schedules.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/batch.h"
#include "training/gradient_reducer.h"
#include "training/loss_scale.h"
#include "training/optimizer.h"
#include "training/program.h"
#include "training/recorded_network.h"

namespace facex::training {

struct TrainerOptions {
  Parts parts;
  Program program;
  at::Device device = at::kCPU;
  uint64_t seed = 0;
  bool skip_non_finite = false;
  bool loss_scaling = false;
  bool cuda_graphs = false;  // passes with gradient go through CUDA graphs, see recorded_network.h
  std::shared_ptr<Collective> group;    // the processes that train together; null: this one alone
  bool synchronise_statistics = false;  // batch norm takes its statistics over all ranks
  ReducerOptions reducer;
};

// Means and sums over the steps since the previous report.
struct Progress {
  int64_t step = 0;  // steps finished in all
  double loss = 0;   // mean over the steps where it was finite
  int64_t steps = 0;
  double lr = 0;  // of the last step
  int64_t images = 0;
  double seconds = 0, wait_seconds = 0;
};

using ProgressSink = std::function<void(const Progress&)>;

class Trainer {
 public:
  explicit Trainer(TrainerOptions options);

  // Every parameter of every network and head.
  std::vector<NamedEntry> parameters() const;
  // Must come before the first run().
  void set_optimizer(const OptimizerOptions& options);

  // Fresh weights and head state from the seed, fresh optimizer, step 0.
  void initialise(uint64_t seed);

  // With a group all ranks run the same number of steps: a stop that one of them asks for ends all after one step.
  // Runs lr.size() steps on the calling thread, or fewer after request_stop(), and returns their losses.
  // Reports every `progress_seconds` and at the end.
  std::vector<double> run(data::BatchSource& source, const std::vector<double>& lr, double progress_seconds,
                          const ProgressSink& report);

  // From any thread: the run ends after the step in flight.
  void request_stop() { stop_ = true; }
  // Before a run is handed to its thread, so that a stop between the two is not lost.
  void clear_stop() { stop_ = false; }

  // Everything that training changes, live: "<network>.<entry>", "<head>.<entry>", "optimizer.<slot>.<parameter>".
  std::vector<NamedEntry> state();
  // The parameters of one network become those of another; buffers stay. kConfig for unknown names.
  void copy_parameters(const std::string& from, const std::string& to);
  // Copies of the state as one process would have it; with a group on rank 0 only, and every rank must ask.
  std::vector<std::pair<std::string, Tensor>> whole_state();
  // With a group: running statistics of all ranks become those of rank 0.
  void synchronise_buffers();
  // Copies values in, of parts the part. ErrorCode::kCheckpoint for unknown names and other shapes; entries not named stay as they are.
  void load(const std::vector<std::pair<std::string, Tensor>>& values);

  // "step", "updates", "skipped", "loss_scale", "calm_steps".
  std::map<std::string, double> counters() const;
  void load_counters(const std::map<std::string, double>& counters);

  // ErrorCode::kConfig when there is none of that name.
  std::shared_ptr<engine::Network> network(const std::string& name) const;

 private:
  class Agreement;
  Optimizer& optimizer() const;

  TrainerOptions options_;
  std::unique_ptr<Optimizer> optimizer_;  // null until set
  std::unique_ptr<GradientReducer> reducer_;  // null without a group
  LossScale loss_scale_;
  std::map<std::string, RecordedNetwork> recorded_;
  int64_t step_ = 0, skipped_ = 0;
  std::atomic<bool> stop_ = false;
};

}  // namespace facex::training

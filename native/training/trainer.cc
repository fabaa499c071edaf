#include "training/trainer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/scalar_tensor.h>

#include <chrono>

#include "core/error.h"
#include "training/gather_state.h"
#include "training/step.h"

namespace facex::training {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

// Collects steps into one Progress and hands it out when due.
class Meter {
 public:
  Meter(const data::BatchSource& source, double interval, const ProgressSink& report)
      : source_(source), interval_(interval), report_(report), begin_(Clock::now()), waited_(source.wait_seconds()) {}

  void add(int64_t step, double lr, const StepOutcome& outcome) {
    sum_.step = step;
    sum_.lr = lr;
    sum_.images += outcome.images;
    ++sum_.steps;
    if (std::isfinite(outcome.loss)) {
      sum_.loss += outcome.loss;
      ++counted_;
    }
    if (seconds_between(begin_, Clock::now()) >= interval_) flush();
  }

  void flush() {
    if (sum_.steps == 0) return;
    const Clock::time_point now = Clock::now();
    const double waited = source_.wait_seconds();
    sum_.seconds = seconds_between(begin_, now);
    sum_.wait_seconds = waited - waited_;
    sum_.loss = counted_ > 0 ? sum_.loss / static_cast<double>(counted_) : NAN;
    report_(sum_);
    sum_ = {};
    counted_ = 0;
    begin_ = now;
    waited_ = waited;
  }

 private:
  const data::BatchSource& source_;
  double interval_;
  const ProgressSink& report_;
  Clock::time_point begin_;
  double waited_;
  Progress sum_;
  int64_t counted_ = 0;
};

// What a part holds of a whole value.
Tensor own_part(const NamedEntry& named, const Tensor& whole) {
  const Part& part = named.part;
  return part.whole == 0 ? whole : whole.narrow(part.dim, part.begin * part.width, named.entry->value.size(part.dim));
}

double counter(const std::map<std::string, double>& counters, const char* name) {
  auto found = counters.find(name);
  if (found == counters.end()) fail(ErrorCode::kCheckpoint, "training counters: \"", name, "\" is missing");
  return found->second;
}

}  // namespace

// Whether any rank wants to stop, found out while a step runs. Without a group, whether this one does.
class Trainer::Agreement {
 public:
  Agreement(Collective* group, const std::atomic<bool>& stop) : stop_(stop) {
    if (group == nullptr) return;
    wish_ = at::scalar_tensor(static_cast<int64_t>(stop ? 1 : 0), at::kLong).view({1});
    pending_ = group->start_all_reduce(wish_, Reduction::kMax);
  }
  bool stops() {
    if (!pending_) return stop_;
    pending_->wait();
    return wish_.item<int64_t>() != 0;
  }

 private:
  const std::atomic<bool>& stop_;
  Tensor wish_;
  std::unique_ptr<Collective::Pending> pending_;
};

Trainer::Trainer(TrainerOptions options)
    : options_(std::move(options)),
      loss_scale_(options_.loss_scaling) {
  check_program(options_.program, options_.parts);
  if (!options_.cuda_graphs) return;
  check_recordable(options_.program, options_.parts, options_.group.get());
  for (auto& [name, network] : options_.parts.networks) recorded_.try_emplace(name, *network);
}

std::vector<NamedEntry> Trainer::parameters() const {
  std::vector<NamedEntry> list = named_entries(options_.parts);
  std::erase_if(list, [](const NamedEntry& named) { return named.entry->kind != EntryKind::kParameter; });
  return list;
}

void Trainer::set_optimizer(const OptimizerOptions& options) {
  optimizer_ = make_optimizer(options, options_.parts);
  if (!options_.group) return;
  std::vector<Entry*> learning;  // of the networks; heads share their own
  for (const NamedEntry& parameter : optimizer_->parameters()) {
    if (options_.parts.networks.contains(parameter.name.substr(0, parameter.name.find('.')))) learning.push_back(parameter.entry);
  }
  reducer_ = std::make_unique<GradientReducer>(*options_.group, options_.reducer, std::move(learning));
}

Optimizer& Trainer::optimizer() const {
  if (!optimizer_) fail(ErrorCode::kConfig, "the trainer has no optimizer yet: setOptimizer() comes first");
  return *optimizer_;
}

void Trainer::initialise(uint64_t seed) {
  for (auto& [name, network] : options_.parts.networks) network->initialise(seed);
  for (auto& [name, head] : options_.parts.heads) head->initialise(seed);
  optimizer().reset();
  loss_scale_ = LossScale(options_.loss_scaling);
  step_ = skipped_ = 0;
}

std::vector<double> Trainer::run(data::BatchSource& source, const std::vector<double>& lr, double progress_seconds,
                                 const ProgressSink& report) {
  at::init_num_threads();  // the thread count is libtorch's own for each calling thread until asked to follow
  std::vector<double> losses;
  losses.reserve(lr.size());
  Meter meter(source, progress_seconds, report);
  for (bool stop = !options_.group && stop_; losses.size() < lr.size() && !stop;) {
    Agreement agreement(options_.group.get(), stop_);
    const double rate = lr[losses.size()];
    const StepOutcome outcome = run_step(options_.program, {.parts = options_.parts,
                                                            .optimizer = optimizer(),
                                                            .loss_scale = loss_scale_,
                                                            .recorded = recorded_,
                                                            .source = source,
                                                            .device = options_.device,
                                                            .seed = options_.seed,
                                                            .number = step_,
                                                            .lr = rate,
                                                            .group = options_.group.get(),
                                                            .reducer = reducer_.get(),
                                                            .synchronise_statistics = options_.synchronise_statistics,
                                                            .skip_non_finite = options_.skip_non_finite});
    ++step_;
    if (outcome.skipped) ++skipped_;
    losses.push_back(outcome.loss);
    meter.add(step_, rate, outcome);
    stop = agreement.stops();
  }
  meter.flush();
  return losses;
}

std::vector<NamedEntry> Trainer::state() {
  std::vector<NamedEntry> list = named_entries(options_.parts);
  std::map<std::string, Part> parts;
  for (const NamedEntry& parameter : optimizer().parameters()) parts.emplace(parameter.name, parameter.part);
  for (Entry& slot : optimizer().state().entries()) {
    list.push_back({"optimizer." + slot.name, &slot, parts.at(slot.name.substr(slot.name.find('.') + 1))});
  }
  return list;
}

void Trainer::copy_parameters(const std::string& from, const std::string& to) {
  const std::shared_ptr<engine::Network> target = network(to);
  for (const Entry& entry : network(from)->state().entries()) {
    Entry* copy = target->state().find(entry.name);
    if (entry.kind != EntryKind::kParameter || copy == nullptr) continue;
    copy->value.copy_(entry.value);
    ++copy->version;
  }
}

std::vector<std::pair<std::string, Tensor>> Trainer::whole_state() { return gather_state(state(), options_.group.get()); }

void Trainer::synchronise_buffers() {
  if (options_.group) broadcast_buffers(options_.parts, *options_.group);
}

void Trainer::load(const std::vector<std::pair<std::string, Tensor>>& values) {
  std::map<std::string, NamedEntry> known;
  for (const NamedEntry& named : state()) known.emplace(named.name, named);
  for (const auto& [name, value] : values) {
    auto found = known.find(name);
    if (found == known.end()) fail(ErrorCode::kCheckpoint, "training state: there is no tensor \"", name, "\"");
    Entry& entry = *found->second.entry;
    const Shape shape = whole_shape(found->second);
    if (value.sizes() != at::IntArrayRef(shape)) {
      fail(ErrorCode::kCheckpoint, "training state: ", name, " has shape ", at::IntArrayRef(shape), ", the given one has ", value.sizes());
    }
    entry.value.copy_(own_part(found->second, value));
    ++entry.version;
  }
}

std::map<std::string, double> Trainer::counters() const {
  return {{"step", static_cast<double>(step_)},
          {"updates", static_cast<double>(optimizer().updates())},
          {"skipped", static_cast<double>(skipped_)},
          {"loss_scale", loss_scale_.factor()},
          {"calm_steps", static_cast<double>(loss_scale_.calm_steps())}};
}

void Trainer::load_counters(const std::map<std::string, double>& counters) {
  step_ = static_cast<int64_t>(counter(counters, "step"));
  skipped_ = static_cast<int64_t>(counter(counters, "skipped"));
  optimizer().set_updates(static_cast<int64_t>(counter(counters, "updates")));
  loss_scale_.restore(counter(counters, "loss_scale"), static_cast<int64_t>(counter(counters, "calm_steps")));
}

std::shared_ptr<engine::Network> Trainer::network(const std::string& name) const {
  auto found = options_.parts.networks.find(name);
  if (found == options_.parts.networks.end()) fail(ErrorCode::kConfig, "the trainer has no network \"", name, "\"");
  return found->second;
}

}  // namespace facex::training

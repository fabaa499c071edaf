#include "training/step.h"

#include <ATen/ops/add.h>

#include "core/error.h"
#include "core/random.h"
#include "training/buffer_snapshot.h"
#include "training/ema.h"
#include "training/non_finite.h"

namespace facex::training {

namespace {

// A forward with gradient whose backward is still to come.
struct Waiting {
  engine::Network* network;
  std::unique_ptr<engine::Pass> pass;          // null where `recorded` keeps it
  RecordedNetwork* recorded;
  std::map<std::string, std::string> outputs;  // output of the graph -> name in the table of values
  std::map<std::string, Tensor> grads;         // d (scaled loss) / d output, of those that a head has asked for
};

class Step {
 public:
  explicit Step(const StepContext& context) : context_(context) {
    if (context.skip_non_finite) snapshot_.emplace(context.parts);
  }

  StepOutcome run(const Program& program) {
    program_ = &program;
    if (context_.reducer != nullptr) context_.reducer->reset();
    for (verb_ = 0; verb_ < program.size() && !outcome_.skipped; ++verb_) {
      std::visit([this](const auto& verb) { execute(verb); }, program[verb_]);
    }
    return outcome_;
  }

 private:
  void execute(const BatchVerb& verb) {
    data::Batch batch = context_.source.next();
    if (batch.images.size() != verb.images.size()) {
      fail(ErrorCode::kConfig, "program verb ", verb_, " (batch): expected ", verb.images.size(),
           " images of a sample, the data has ", batch.images.size());
    }
    for (size_t view = 0; view < batch.images.size(); ++view) {
      values_[verb.images[view]] = batch.images[view].to(context_.device, /*non_blocking=*/true);
    }
    values_[verb.labels] = batch.labels;  // heads check them on the CPU before they compute
    const int64_t ranks = context_.group == nullptr ? 1 : context_.group->size();
    outcome_.images += ranks * batch.labels.size(0) * static_cast<int64_t>(batch.images.size());
  }

  void execute(const ForwardVerb& verb) {
    engine::Network& network = *context_.parts.networks.at(verb.network);
    const engine::PassMode mode{.batch_statistics = verb.batch_statistics,
                                .stochastic = verb.stochastic,
                                .keep_for_backward = verb.gradient,
                                .random_key = key(),
                                .share = context_.group == nullptr ? 0 : context_.group->rank(),
                                .statistics = context_.synchronise_statistics ? context_.group : nullptr};
    if (const auto found = context_.recorded.find(verb.network); verb.gradient && found != context_.recorded.end()) {
      const auto outputs = found->second.forward(values_.at(verb.input), mode);
      for (const auto& [output, name] : verb.outputs) values_[name] = outputs.at(output);
      waiting_.push_back({&network, nullptr, &found->second, verb.outputs, {}});
      return;
    }
    auto pass = network.forward(values_.at(verb.input), mode);
    for (const auto& [output, name] : verb.outputs) values_[name] = pass->output(output);
    if (verb.gradient) waiting_.push_back({&network, std::move(pass), nullptr, verb.outputs, {}});
  }

  void execute(const HeadVerb& verb) {
    heads::Head& head = *context_.parts.heads.at(verb.head);
    const Tensor& embeddings = values_.at(verb.embeddings);
    // Losses stay in float32 (or float64) whatever the network computes in.
    const bool wide = embeddings.scalar_type() == at::kFloat || embeddings.scalar_type() == at::kDouble;
    heads::HeadResult result = head.run({.embeddings = wide ? embeddings : embeddings.to(at::kFloat),
                                         .labels = values_.at(verb.labels),
                                         .gallery = verb.gallery.empty() ? Tensor() : values_.at(verb.gallery),
                                         .centres = verb.centres_of.empty() ? nullptr : &context_.parts.heads.at(verb.centres_of)->state(),
                                         .grad_scale = verb.weight * context_.loss_scale.factor(),
                                         .random_key = key()});
    values_[verb.loss] = result.loss;
    losses_.push_back({result.loss, verb.weight});
    for (Waiting& forward : waiting_) {
      for (const auto& [output, name] : forward.outputs) {
        if (name == verb.embeddings) add_grad(forward.grads[output], result.grad_embeddings.to(embeddings.scalar_type()));
      }
    }
  }

  static void add_grad(Tensor& sum, const Tensor& grad) { sum = sum.defined() ? at::add(sum, grad) : grad; }

  void execute(const EnqueueVerb& verb) {
    const uint64_t turn = verb.random ? key() >> 32 : static_cast<uint64_t>(context_.number);
    const Tensor& features = values_.at(verb.candidates[turn % verb.candidates.size()]);
    context_.parts.heads.at(verb.head)->enqueue(features, values_.at(verb.labels));
  }

  void execute(const BackwardVerb&) {
    for (; !waiting_.empty(); waiting_.pop_back()) {
      Waiting& last = waiting_.back();
      if (last.grads.empty()) continue;
      if (last.recorded != nullptr) {
        last.recorded->backward(last.grads);
      } else {
        last.network->backward(*last.pass, last.grads, sink_for(*last.network));
      }
    }
  }

  // Gradients leave for the other ranks during the last backward of their network before the update.
  engine::GradientSink sink_for(const engine::Network& network) {
    if (context_.reducer == nullptr) return {};
    const auto is_earlier = [&](const Waiting& other) { return &other != &waiting_.back() && other.network == &network; };
    if (std::any_of(waiting_.begin(), waiting_.end(), is_earlier)) return {};
    for (size_t next = verb_ + 1; next < program_->size(); ++next) {
      if (std::holds_alternative<OptimizerVerb>((*program_)[next])) break;
      if (std::holds_alternative<BackwardVerb>((*program_)[next])) return {};
    }
    return [this](Entry& parameter) { context_.reducer->add(parameter); };
  }

  void execute(const ClipVerb& verb) { gradients().clip(verb.max_norm, verb.part); }

  void execute(const OptimizerVerb&) {
    for (const auto& [loss, weight] : losses_) outcome_.loss += weight * loss.item<double>();
    losses_.clear();
    if (usable()) {
      context_.optimizer.update(context_.lr, gradients().factor());
    } else {
      outcome_.skipped = true;
    }
    gradients_.reset();
    clear_gradients(context_.parts);
  }

  void execute(const EmaVerb& verb) {
    update_average(*context_.parts.networks.at(verb.from), *context_.parts.networks.at(verb.to), verb.decay,
                   verb.copy_buffers);
  }

  // Whether loss and gradients are finite. An overflow under loss scaling only lowers the scale; anything else throws
  // or, if asked for, is undone.
  bool usable() {
    const bool loss_finite = std::isfinite(outcome_.loss);
    const bool finite = loss_finite && std::isfinite(gradients().norm());
    if (loss_finite) {
      context_.loss_scale.update(finite);
      if (finite) return true;
      if (context_.loss_scale.enabled() && !context_.loss_scale.exhausted()) return false;
    }
    if (!context_.skip_non_finite) {
      const std::string origin = first_non_finite(context_.parts, values_);
      clear_gradients(context_.parts);
      fail(ErrorCode::kNonFinite, "step ", context_.number + 1, ": ",
           loss_finite ? "a gradient is not finite" : "the loss is not finite", " (loss ", outcome_.loss, "); ", origin);
    }
    snapshot_->restore();
    return false;
  }

  Gradients& gradients() {
    if (!gradients_) {
      if (context_.reducer != nullptr) context_.reducer->finish();
      gradients_.emplace(context_.optimizer.parameters(), context_.loss_scale.factor(), context_.group);
    }
    return *gradients_;
  }

  uint64_t key() const { return Random(context_.seed, static_cast<uint64_t>(context_.number), verb_).next(); }

  const StepContext& context_;
  const Program* program_ = nullptr;
  StepOutcome outcome_;
  size_t verb_ = 0;
  std::map<std::string, Tensor> values_;
  std::vector<Waiting> waiting_;
  std::vector<std::pair<Tensor, double>> losses_;  // with their weights
  std::optional<Gradients> gradients_;             // from the first verb after backward that looks at them
  std::optional<BufferSnapshot> snapshot_;
};

}  // namespace

StepOutcome run_step(const Program& program, const StepContext& context) { return Step(context).run(program); }

}  // namespace facex::training

#include "engine/network.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "core/error.h"
#include "engine/initialise.h"
#include "engine/op.h"
#include "engine/pixels.h"
#include "engine/plan.h"
#include "engine/recorded_pass.h"
#include "engine/shares.h"
#include "engine/values.h"
#include "engine/watch.h"

namespace facex::engine {

namespace {

// Nodes from `begin` to before `end`.
struct Stage {
  size_t begin, end;
};

std::vector<Stage> stages_of(const Graph& graph, const std::vector<size_t>& starts) {
  std::vector<Stage> stages{{0, graph.nodes.size()}};
  for (const size_t start : starts) {
    if (start <= stages.back().begin || start >= graph.nodes.size()) {
      fail(ErrorCode::kGraph, graph.name, ": expected stages to start at increasing nodes from 1 to ", graph.nodes.size() - 1, ", got ", start);
    }
    stages.back().end = start;
    stages.push_back({start, graph.nodes.size()});
  }
  return stages;
}

std::vector<bool> marked(const Graph& graph, const std::vector<size_t>& nodes) {
  std::vector<bool> marks(graph.nodes.size());
  for (const size_t id : nodes) {
    const bool is_output = std::any_of(graph.outputs.begin(), graph.outputs.end(), [id](const auto& output) { return output.second == id; });
    if (id >= graph.nodes.size() || graph.nodes[id].op == "input" || is_output) {
      fail(ErrorCode::kGraph, graph.name, ": expected values to compute again to be those of nodes between input and output, got node ", id);
    }
    marks[id] = true;
  }
  return marks;
}

}  // namespace

class Network::Impl {
 public:
  Impl(Graph graph, const NetworkOptions& options)
      : graph_(std::move(graph)), options_(options), plan_(make_plan(graph_)), stages_(stages_of(graph_, options.stages)), recomputed_(marked(graph_, options.recomputed)) {
    for (const StateEntry& entry : graph_.state) {
      // Convolution weights lie channels-last like the images that they meet.
      const auto format = entry.shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
      const auto dtype = entry.is_int64 ? at::kLong : options_.master;
      Tensor value = at::empty(entry.shape, at::TensorOptions().dtype(dtype).device(options_.device).memory_format(format));
      state_.add(entry.name, entry.is_parameter ? EntryKind::kParameter : EntryKind::kBuffer, value.zero_());
    }
    for (const Node& node : graph_.nodes) {
      NodeParameters params(options_.compute);
      for (const auto& [role, name] : node.params) {
        Entry* entry = state_.find(name);
        if (entry == nullptr) fail(ErrorCode::kGraph, node.path, " (node ", node.id, " ", node.op, "): there is no state entry ", name);
        params.bind(role, entry);
      }
      params_.push_back(std::move(params));
    }
    find_completions();
  }

  void initialise_all(uint64_t seed) {
    for (size_t i = 0; i < graph_.state.size(); ++i) {
      Entry& entry = state_.entries()[i];
      engine::initialise(entry.value, graph_.state[i], seed);
      ++entry.version;
    }
  }

  std::unique_ptr<Pass> forward(const Tensor& images, const PassMode& mode) {
    const std::lock_guard lock(running_);
    auto pass = std::make_unique<RecordedPass>();
    pass->mode = mode;
    check_images(images);
    const bool apart = !mode.batch_statistics && !mode.stochastic && !mode.keep_for_backward;
    if (apart && options_.device.is_cpu()) {
      infer(images, *pass);
    } else {
      run(images, *pass);
    }
    return pass;
  }

  // Images do not know of each other here.
  void infer(const Tensor& images, RecordedPass& pass) {
    const int64_t share = images_a_share(graph_, images.size(0));
    if (share >= images.size(0)) return run(images, pass);
    std::vector<RecordedPass> shares((images.size(0) + share - 1) / share);
    const auto run_share = [&](int64_t i) {
      shares[i].mode = pass.mode;
      run(images.narrow(0, i * share, std::min(share, images.size(0) - i * share)), shares[i]);
    };
    // What is made of the weights is made once, by the first share alone. An observer sees nodes one after another.
    uint64_t versions = 1;
    for (const Entry& entry : state_.entries()) versions += entry.version;
    const bool ready = prepared_for_ == versions;
    const auto count = static_cast<int64_t>(shares.size());
    if (!ready) for_shares(0, 1, 1, run_share);
    prepared_for_ = versions;
    for_shares(ready ? 0 : 1, count, observer_ == nullptr ? at::get_num_threads() : 1, run_share);
    for (const auto& [name, id] : graph_.outputs) {
      std::vector<Tensor> pieces;
      for (const RecordedPass& each : shares) pieces.push_back(each.outputs.at(name));
      pass.outputs[name] = at::cat(pieces);
    }
  }

  void run(const Tensor& images, RecordedPass& pass) {
    const PassMode& mode = pass.mode;
    if (mode.keep_for_backward) {
      pass.records.resize(plan_.size());
      pass.again.resize(plan_.size());
      pass.entering.resize(stages_.size());
      if (stages_.size() > 1) pass.images = images;
    }
    Values values(plan_.size());
    for (size_t id = 0; id < plan_.size(); ++id) values.uses[id] = plan_[id].uses + (plan_[id].is_output ? 1 : 0);
    for (size_t stage = 0; stage < stages_.size(); ++stage) {
      const bool keeps = mode.keep_for_backward && !runs_again(stage);
      if (mode.keep_for_backward && runs_again(stage)) pass.entering[stage] = entering(stages_[stage], values);
      for (size_t id = stages_[stage].begin; id < stages_[stage].end; ++id) {
        compute(id, images, mode, values, stages_[stage], keeps ? &pass.records[id] : nullptr);
      }
    }
    for (const auto& [name, id] : graph_.outputs) pass.outputs[name] = values.of[id];
  }

  void backward(RecordedPass& pass, const std::map<std::string, Tensor>& output_grads, const GradientSink& complete) {
    const std::lock_guard lock(running_);
    if (pass.records.empty()) fail(ErrorCode::kNative, "backward through a pass that kept nothing for it, or a second time");
    std::vector<Tensor> grads(plan_.size());
    for (const auto& [name, grad] : output_grads) {
      const auto found = graph_.outputs.find(name);
      if (found == graph_.outputs.end()) fail(ErrorCode::kGraph, "the network has no output \"", name, "\"");
      add_grad(grads[found->second], grad.to(options_.device, options_.compute));
    }
    for (size_t stage = stages_.size(); stage-- > 0;) {
      if (runs_again(stage)) compute_again(stages_[stage], pass, pass.entering[stage]);
      for (size_t id = stages_[stage].end; id-- > stages_[stage].begin;) backward_of(id, pass, grads, complete);
      pass.entering[stage].clear();
    }
    pass.records.clear();
  }

  // The last stage goes straight on to its backward.
  bool runs_again(size_t stage) const { return stage + 1 < stages_.size(); }

  // What the stage reads of values so far.
  std::map<size_t, Tensor> entering(const Stage& stage, const Values& values) const {
    std::map<size_t, Tensor> found;
    for (size_t id = stage.begin; id < stage.end; ++id) {
      for (size_t input : plan_[id].node->inputs) {
        if (input < stage.begin) found.emplace(input, values.of[input]);
      }
    }
    return found;
  }

  // Forward of one node of `stage`; drops operands whose last use this is. `record` is null where nothing is kept.
  void compute(size_t id, const Tensor& images, const PassMode& mode, Values& values, const Stage& stage, Record* record) {
    const Step& step = plan_[id];
    if (step.node->op == "input") {
      values.of[id] = images_for(images);
      return;
    }
    std::vector<Tensor> inputs;
    inputs.reserve(step.node->inputs.size());
    for (size_t input : step.node->inputs) {
      inputs.push_back(values.of[input]);
      if (--values.uses[input] == 0) values.of[input] = Tensor();
    }
    const Watch watch(observer_, *step.node, /*backward=*/false);
    Forward context{.node = *step.node, .inputs = inputs, .params = params_[id], .mode = mode, .kept = {}};
    values.of[id] = laid_out(step.op->forward(context));
    if (record == nullptr || !step.wants_grad) return;
    for (const Tensor& input : inputs) record->input_sizes.push_back(input.sizes().vec());
    if (step.row->needs == Needs::kInputs || recomputed_[id]) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (comes_again(step.node->inputs[i], stage)) inputs[i] = Tensor();
      }
      record->inputs = std::move(inputs);
    }
    if (step.row->needs == Needs::kOutput && !recomputed_[id]) record->output = values.of[id];
    record->kept = std::move(context.kept);
  }

  // Whether a reader in `stage` leaves the value of a node to be computed once more.
  bool comes_again(size_t id, const Stage& stage) const { return recomputed_[id] && plan_[id].wants_grad && id >= stage.begin; }

  // The value of a node once more, until its own backward.
  const Tensor& value_again(size_t id, RecordedPass& pass) {
    Tensor& value = pass.again[id];
    if (value.defined()) return value;
    const Step& step = plan_[id];
    const Record& record = pass.records[id];
    const std::vector<Tensor> inputs = operands(*step.node, record, pass);
    const Watch watch(observer_, *step.node, /*backward=*/true);
    value = laid_out(step.op->again({.node = *step.node, .inputs = inputs, .kept = record.kept, .params = params_[id], .mode = pass.mode}));
    return value;
  }

  // What a node has kept of its operands, with those that it left out.
  std::vector<Tensor> operands(const Node& node, const Record& record, RecordedPass& pass) {
    std::vector<Tensor> inputs = record.inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined()) inputs[i] = value_again(node.inputs[i], pass);
    }
    return inputs;
  }

  // A stage of a pass once more, with the values that entered it: the same bits, as masks follow from the key of the pass
  // and batch statistics from the batch. Buffers come out as they went in: the first time has moved them.
  void compute_again(const Stage& stage, RecordedPass& pass, const std::map<size_t, Tensor>& entering) {
    Values values(plan_.size());
    for (const auto& [id, value] : entering) values.of[id] = value;
    for (size_t id = stage.begin; id < stage.end; ++id) {
      for (size_t input : plan_[id].node->inputs) ++values.uses[input];
    }
    for (size_t id = stage.begin; id < stage.end; ++id) {
      std::vector<std::pair<Tensor, Tensor>> buffers;
      for (const auto& [role, name] : plan_[id].node->params) {
        const Entry& entry = *state_.find(name);
        if (entry.kind == EntryKind::kBuffer) buffers.emplace_back(entry.value, entry.value.clone());
      }
      compute(id, pass.images, pass.mode, values, stage, &pass.records[id]);
      for (const auto& [buffer, before] : buffers) buffer.copy_(before);
      if (values.uses[id] == 0) values.of[id] = Tensor();
    }
  }

  void backward_of(size_t id, RecordedPass& pass, std::vector<Tensor>& grads, const GradientSink& complete) {
    const Step& step = plan_[id];
    Tensor grad = std::move(grads[id]);
    const bool passes = grad.defined() && step.wants_grad;
    const Tensor output = passes && step.row->needs == Needs::kOutput && recomputed_[id] ? value_again(id, pass) : pass.records[id].output;
    const Record record = std::move(pass.records[id]);
    pass.again[id] = Tensor();
    if (!passes) return;
    grad = laid_out(grad);
    const std::vector<Tensor> inputs = step.row->needs == Needs::kInputs ? operands(*step.node, record, pass) : record.inputs;
    const Watch watch(observer_, *step.node, /*backward=*/true);
    Backward context{.node = *step.node,
                     .grad = std::move(grad),
                     .inputs = inputs,
                     .input_sizes = record.input_sizes,
                     .output = output,
                     .kept = record.kept,
                     .params = params_[id],
                     .mode = pass.mode,
                     .wanted = step.wanted,
                     .input_grads = std::vector<Tensor>(step.node->inputs.size())};
    step.op->backward(context);
    context.grad = Tensor();
    if (complete) {
      for (Entry* parameter : completed_by_[id]) complete(*parameter);
    }
    for (size_t i = 0; i < step.node->inputs.size(); ++i) {
      if (step.wanted[i]) add_grad(grads[step.node->inputs[i]], std::move(context.input_grads[i]));
    }
  }

  // The first node that uses a parameter is the last that adds to its gradient.
  void find_completions() {
    completed_by_.resize(graph_.nodes.size());
    std::set<Entry*> seen;
    for (const Node& node : graph_.nodes) {
      for (const auto& [role, name] : node.params) {
        Entry* entry = state_.find(name);
        if (entry->kind == EntryKind::kParameter && seen.insert(entry).second) completed_by_[node.id].push_back(entry);
      }
    }
  }

  // Bytes come as [N, H, W, C].
  static Tensor channels_first(const Tensor& images) {
    return images.scalar_type() == at::kByte && images.dim() == 4 ? images.permute({0, 3, 1, 2}) : images;
  }

  void check_images(const Tensor& images) const {
    const auto sizes = channels_first(images).sizes();
    for (const Node& node : graph_.nodes) {
      if (node.op != "input" || (!sizes.empty() && sizes.slice(1) == at::IntArrayRef(node.shape.dims))) continue;
      fail(ErrorCode::kConfig, graph_.name, ": expected images [N, ", at::IntArrayRef(node.shape.dims), "], got ", sizes);
    }
  }

  // Normalised, channels-last, in the compute dtype; `images` as Network::forward takes them.
  Tensor images_for(const Tensor& images) const {
    const Tensor values = channels_first(images);
    if (images.scalar_type() == at::kByte) return normalise_pixels(values.to(options_.device), options_);
    return laid_out(values.to(options_.device, options_.compute));
  }

  Graph graph_;
  NetworkOptions options_;
  std::vector<Step> plan_;
  std::vector<Stage> stages_;  // together all nodes
  std::vector<bool> recomputed_;  // nodes whose value readers compute once more
  State state_;
  std::vector<NodeParameters> params_;
  std::vector<std::vector<Entry*>> completed_by_;  // parameters by the node whose backward completes their gradient

  std::mutex running_;  // one pass at a time: casts of parameters are shared
  NodeObserver* observer_ = nullptr;
  uint64_t prepared_for_ = 0;  // versions of the state from which all that inference makes of it has been made
};

Network::Network(Graph graph, const NetworkOptions& options) : impl_(std::make_unique<Impl>(std::move(graph), options)) {}
Network::~Network() = default;

const Graph& Network::graph() const { return impl_->graph_; }
const NetworkOptions& Network::options() const { return impl_->options_; }
State& Network::state() { return impl_->state_; }
void Network::initialise(uint64_t seed) { impl_->initialise_all(seed); }
void Network::observe(NodeObserver* observer) { impl_->observer_ = observer; }

std::unique_ptr<Pass> Network::forward(const Tensor& images, const PassMode& mode) { return impl_->forward(images, mode); }

void Network::backward(Pass& pass, const std::map<std::string, Tensor>& grads, const GradientSink& complete) {
  impl_->backward(dynamic_cast<RecordedPass&>(pass), grads, complete);
}

}  // namespace facex::engine

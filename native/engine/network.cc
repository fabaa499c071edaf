#include "engine/network.h"

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>

#include <mutex>
#include <set>

#include "core/error.h"
#include "engine/initialise.h"
#include "engine/op.h"
#include "engine/pixels.h"
#include "engine/plan.h"

namespace facex::engine {

namespace {

// What one node keeps for its backward.
struct Record {
  std::vector<Tensor> inputs;  // undefined where the op does not read them
  std::vector<std::vector<int64_t>> input_sizes;
  Tensor output;
  std::vector<Tensor> kept;
};

class RecordedPass final : public Pass {
 public:
  const Tensor& output(const std::string& name) const override {
    const auto found = outputs.find(name);
    if (found == outputs.end()) fail(ErrorCode::kGraph, "the network has no output \"", name, "\"");
    return found->second;
  }

  std::map<std::string, Tensor> outputs;
  std::vector<Record> records;  // one a node; empty without backward
  PassMode mode;
};

// Images lie channels-last everywhere, all other values row-major.
Tensor laid_out(const Tensor& value) {
  return value.contiguous(value.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

// grad += more. In place only where nobody else holds the sum: an add hands one gradient to both of its operands.
void add_grad(Tensor& grad, Tensor more) {
  if (!grad.defined()) {
    grad = std::move(more);
  } else if (grad.use_count() == 1 && grad.storage().use_count() == 1) {
    grad.add_(more);
  } else {
    grad = at::add(grad, more);
  }
}

// Tells the observer, if there is one, that a node runs.
class Watch {
 public:
  Watch(NodeObserver* observer, const Node& node, bool backward) : observer_(observer), node_(node), backward_(backward) {
    if (observer_ != nullptr) observer_->begin(node_, backward_);
  }
  ~Watch() {
    if (observer_ != nullptr) observer_->end(node_, backward_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  NodeObserver* observer_;
  const Node& node_;
  bool backward_;
};

}  // namespace

class Network::Impl {
 public:
  Impl(Graph graph, const NetworkOptions& options) : graph_(std::move(graph)), options_(options), plan_(make_plan(graph_)) {
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
    if (mode.keep_for_backward) pass->records.resize(plan_.size());
    std::vector<Tensor> values(plan_.size());
    std::vector<size_t> uses(plan_.size());
    for (size_t id = 0; id < plan_.size(); ++id) uses[id] = plan_[id].uses;

    for (size_t id = 0; id < plan_.size(); ++id) {
      const Step& step = plan_[id];
      if (step.node->op == "input") {
        values[id] = images_for(*step.node, images);
        continue;
      }
      std::vector<Tensor> inputs;
      inputs.reserve(step.node->inputs.size());
      for (size_t input : step.node->inputs) {
        inputs.push_back(values[input]);
        if (--uses[input] == 0 && !plan_[input].is_output) values[input] = Tensor();
      }
      const Watch watch(observer_, *step.node, /*backward=*/false);
      const bool keep = mode.keep_for_backward && step.wants_grad;
      Forward context{.node = *step.node, .inputs = inputs, .params = params_[id], .mode = mode, .kept = {}};
      values[id] = laid_out(step.op->forward(context));
      if (!keep) continue;
      Record& record = pass->records[id];
      for (const Tensor& input : inputs) record.input_sizes.push_back(input.sizes().vec());
      if (step.row->needs == Needs::kInputs) record.inputs = std::move(inputs);
      if (step.row->needs == Needs::kOutput) record.output = values[id];
      record.kept = std::move(context.kept);
    }
    for (const auto& [name, id] : graph_.outputs) pass->outputs[name] = values[id];
    return pass;
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
    for (size_t id = plan_.size(); id-- > 0;) {
      const Step& step = plan_[id];
      const Record record = std::move(pass.records[id]);
      Tensor grad = std::move(grads[id]);
      if (!grad.defined() || !step.wants_grad) continue;
      grad = laid_out(grad);
      const Watch watch(observer_, *step.node, /*backward=*/true);
      Backward context{.node = *step.node,
                       .grad = std::move(grad),
                       .inputs = record.inputs,
                       .input_sizes = record.input_sizes,
                       .output = record.output,
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
    pass.records.clear();
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

  // Normalised, channels-last, in the compute dtype; `images` as Network::forward takes them.
  Tensor images_for(const Node& node, const Tensor& images) const {
    const bool bytes = images.scalar_type() == at::kByte;
    const Tensor nchw = bytes && images.dim() == 4 ? images.permute({0, 3, 1, 2}) : images;
    const auto& dims = node.shape.dims;
    if (nchw.dim() < 1 || nchw.sizes().slice(1) != at::IntArrayRef(dims)) {
      fail(ErrorCode::kConfig, graph_.name, ": expected images [N, ", at::IntArrayRef(dims), "], got ", nchw.sizes());
    }
    if (bytes) return normalise_pixels(nchw.to(options_.device), options_);
    return laid_out(nchw.to(options_.device, options_.compute));
  }

  Graph graph_;
  NetworkOptions options_;
  std::vector<Step> plan_;
  State state_;
  std::vector<NodeParameters> params_;
  std::vector<std::vector<Entry*>> completed_by_;  // parameters by the node whose backward completes their gradient

  std::mutex running_;  // one pass at a time: casts of parameters are shared
  NodeObserver* observer_ = nullptr;
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

#include "training/recorded_network.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/cuda/graph_table.h"
#include "core/error.h"
#include "engine/op.h"
#include "training/gradient_norm.h"

namespace facex::training {

namespace {

constexpr int kPlainSteps = 3;  // libtorch's libraries choose their algorithms in the first
// Sums may be taken in another order each time; a launch that is missing, or reads what is gone, is off by far more.
constexpr double kTolerance = 0.05;

// Norm of the difference as a share of the norm, all tensors together.
double distance(const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
  std::vector<Tensor> differences;
  for (size_t i = 0; i < expected.size(); ++i) differences.push_back(found[i].sub(expected[i]));
  return l2_norm(differences) / std::max(l2_norm(expected), 1e-30);
}

std::vector<Entry*> entries_of(engine::Network& network, EntryKind kind) {
  std::vector<Entry*> list;
  for (Entry& entry : network.state().entries()) {
    if (entry.kind == kind) list.push_back(&entry);
  }
  return list;
}

// Loss scaling begins with steps that overflow: nothing can be held against them.
bool gradients_are_finite(engine::Network& network) {
  std::vector<Tensor> grads;
  for (const Entry* parameter : entries_of(network, EntryKind::kParameter)) {
    if (parameter->grad.defined()) grads.push_back(parameter->grad);
  }
  return std::isfinite(l2_norm(grads));
}

const engine::Node* masked_node(const engine::Graph& graph) {
  for (const engine::Node& node : graph.nodes) {
    if ((node.op == "dropout" || node.op == "drop_path") && engine::Attributes(node).number("p") > 0) return &node;
  }
  return nullptr;
}

}  // namespace

void check_recordable(const Program& program, const Parts& parts, const Collective* group) {
  const auto refuse = [](const auto&... why) { fail(ErrorCode::kConfig, "cuda_graphs: ", why..., "; set cuda_graphs: false"); };
  if (group != nullptr) refuse("gradients leave for the other processes in the middle of backward, which a graph cannot do");
  std::map<std::string, int> passes;
  bool on_cuda = true;
  for (const Verb& verb : program) {
    const auto* forward = std::get_if<ForwardVerb>(&verb);
    if (forward == nullptr || !forward->gradient) continue;
    const engine::Network& network = *parts.networks.at(forward->network);
    if (++passes[forward->network] > 1) refuse("network ", forward->network, " runs several times a step, and one graph keeps the values of one pass");
    const engine::Node* masked = masked_node(network.graph());
    if (forward->stochastic && masked != nullptr) refuse(masked->path, " (", masked->op, ") draws its mask on the CPU at each step");
    on_cuda = on_cuda && network.options().device.is_cuda();
  }
  if (!on_cuda) refuse("they need device cuda, and this run computes on the CPU");
}

// The two recordings with everything that they read and write.
class RecordedNetwork::Graphs {
 public:
  // Right after the plain pass: its outputs, and parameters that hold its gradients. Both stay as they are.
  Graphs(engine::Network& network, const Tensor& images, const engine::PassMode& mode, const Values& outputs, const Values& grads)
      : parameters_(entries_of(network, EntryKind::kParameter)), buffers_(entries_of(network, EntryKind::kBuffer)), images_(images.clone()) {
    for (const auto& [name, grad] : grads) grads_[name] = grad.clone();
    std::vector<Tensor> plain = take_gradients();
    record(network, mode, outputs);
    check(outputs, plain);
    for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->grad = plain[i];
  }

  const Values& forward(const Tensor& images) {
    if (images.sizes() != images_.sizes()) fail(ErrorCode::kNative, "cuda_graphs: expected images ", images_.sizes(), " at every step, got ", images.sizes());
    images_.copy_(images);
    forward_->launch();
    for (Entry* buffer : buffers_) ++buffer->version;
    return outputs_;
  }

  void backward(const Values& grads) {
    for (const auto& [name, grad] : grads) grads_.at(name).copy_(grad);
    backward_->launch();
    for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->grad = parameter_grads_[i];
  }

 private:
  std::vector<Tensor> take_gradients() {
    std::vector<Tensor> taken;
    for (Entry* parameter : parameters_) taken.push_back(std::exchange(parameter->grad, Tensor()));
    return taken;
  }

  void record(engine::Network& network, const engine::PassMode& mode, const Values& outputs) {
    cuda::graphs().release_unused();  // what the plain steps had: the graphs need as much once more
    for (Entry* parameter : parameters_) ++parameter->version;  // so that casts of them are recorded too
    const cuda::GraphPool pool = cuda::graphs().make_pool();
    std::unique_ptr<engine::Pass> pass;
    forward_.emplace(pool, [&] { pass = network.forward(images_, mode); });
    for (const auto& [name, output] : outputs) outputs_[name] = pass->output(name);
    backward_.emplace(pool, [&] { network.backward(*pass, grads_); });
    parameter_grads_ = take_gradients();
  }

  void check(const Values& outputs, const std::vector<Tensor>& plain) {
    std::vector<Tensor> before;  // the plain pass has moved the statistics
    for (const Entry* buffer : buffers_) before.push_back(buffer->value.clone());
    forward_->launch();
    backward_->launch();
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i]->value.copy_(before[i]);
    std::vector<Tensor> found, expected;
    for (const auto& [name, output] : outputs) {
      found.push_back(outputs_.at(name).to(at::kFloat));
      expected.push_back(output.to(at::kFloat));
    }
    expect_near("outputs", found, expected);
    found.clear(), expected.clear();
    for (size_t i = 0; i < plain.size(); ++i) {
      if (plain[i].defined() != parameter_grads_[i].defined()) fail(ErrorCode::kNative, "cuda_graphs: parameter ", parameters_[i]->name, " has a gradient in one of the plain and the recorded pass only");
      if (!plain[i].defined()) continue;
      found.push_back(parameter_grads_[i]);
      expected.push_back(plain[i]);
    }
    expect_near("gradients", found, expected);
  }

  static void expect_near(const char* what, const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
    const double off = distance(found, expected);
    if (!(off <= kTolerance)) fail(ErrorCode::kNative, "cuda_graphs: ", what, " of the recorded pass are off by ", off, " of those of the plain one; set cuda_graphs: false");
  }

  std::vector<Entry*> parameters_, buffers_;
  // What the graphs read and write: addresses that stay.
  Tensor images_;
  Values outputs_, grads_;
  std::vector<Tensor> parameter_grads_;
  std::optional<cuda::Graph> forward_, backward_;
};

RecordedNetwork::RecordedNetwork(engine::Network& network) : network_(network) {}
RecordedNetwork::~RecordedNetwork() = default;

RecordedNetwork::Values RecordedNetwork::forward(const Tensor& images, const engine::PassMode& mode) {
  if (graphs_) return graphs_->forward(images);
  pass_ = network_.forward(images, mode);
  images_ = images;
  mode_ = mode;
  Values outputs;
  for (const auto& [name, id] : network_.graph().outputs) outputs[name] = pass_->output(name);
  return outputs;
}

void RecordedNetwork::backward(const Values& grads) {
  if (graphs_) return graphs_->backward(grads);
  network_.backward(*pass_, grads);
  Values outputs;
  for (const auto& [name, id] : network_.graph().outputs) outputs[name] = pass_->output(name);
  pass_.reset();
  if (++plain_steps_ < kPlainSteps || !gradients_are_finite(network_)) return;
  try {
    graphs_ = std::make_unique<Graphs>(network_, images_, mode_, outputs, grads);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    fail(ErrorCode::kNative, "cuda_graphs: ", network_.graph().name, " could not be recorded: ", error.what_without_backtrace(), ". Set cuda_graphs: false.");
  }
  images_ = Tensor();
}

}  // namespace facex::training

// A graph with its tensors: forward, backward, inference. Owns the state; knows nothing of heads, data or training.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/state.h"
#include "core/tensor.h"
#include "engine/graph.h"

namespace facex {
class Collective;
}

namespace facex::engine {

struct NetworkOptions {
  at::ScalarType master = at::kFloat;   // dtype of parameters and buffers: kFloat or kDouble
  at::ScalarType compute = at::kFloat;  // dtype of activations: kFloat, kDouble, kBFloat16, kHalf
  at::Device device = at::kCPU;
  // Pixel normalisation for uint8 input: (x - mean) * scale per channel, applied in the first kernel.
  double pixel_mean = 127.5;
  double pixel_scale = 1.0 / 128.0;
  // Nodes at which a stage begins, the first left out. A pass with backward keeps only the values that enter a stage and
  // computes the others once more on the way back; the last stage is kept as it is. Empty: everything is kept.
  std::vector<size_t> stages;
  // Nodes whose value readers do not keep for their backward: it is computed once more from what the node itself keeps,
  // when the first of them needs it on the way back, and held until the backward of the node. Within a stage.
  std::vector<size_t> recomputed;
};

// How one forward pass treats normalisation and dropout.
struct PassMode {
  bool batch_statistics = false;   // batch norm normalises with, and updates, batch statistics (train mode)
  bool stochastic = false;         // dropout and drop path are active
  bool keep_for_backward = false;  // keep what backward needs
  uint64_t random_key = 0;         // dropout masks are a function of this key, the node id and the place in the batch
  int share = 0;                   // the images are this one of the equal parts of a larger batch
  Collective* statistics = nullptr;  // batch statistics are those of all its ranks together
};

// One forward pass: its outputs, and what backward needs of it. Several may be alive at once (siamese networks).
class Pass {
 public:
  virtual ~Pass() = default;
  virtual const Tensor& output(const std::string& name) const = 0;
};

// Told around each node that runs; for profiles.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void begin(const Node& node, bool backward) = 0;
  virtual void end(const Node& node, bool backward) = 0;
};

// Told of each parameter whose gradient a backward has completed, in an order that follows from the graph alone.
using GradientSink = std::function<void(Entry& parameter)>;

class Network {
 public:
  Network(Graph graph, const NetworkOptions& options);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const Graph& graph() const;
  const NetworkOptions& options() const;
  State& state();

  // Fills every entry by its initializer; the value depends on (seed, entry name) only.
  void initialise(uint64_t seed);

  // nullptr ends it. The observer must outlive its time here.
  void observe(NodeObserver* observer);

  // images: uint8 [N, H, W, C] (normalised here) or floating [N, C, H, W]. Passes of one network run one at a time.
  std::unique_ptr<Pass> forward(const Tensor& images, const PassMode& mode);

  // Adds to the gradients of the parameters. `grads` holds d loss / d output by output name. Frees the pass's kept
  // values as it goes, so a pass can be used once.
  void backward(Pass& pass, const std::map<std::string, Tensor>& grads, const GradientSink& complete = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace facex::engine

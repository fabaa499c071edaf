// Forward and backward of a network as two CUDA graphs: some hundred launches become one each, which the CPU cannot give
// fast enough for a small network. Heads, the optimizer and whatever the CPU decides stay outside.
//
// The first steps run plainly. Then the pass is recorded, over images and gradients of its outputs in memory that stays, launched
// once, and held against the plain pass of the same step. What lies between forward and backward has memory of its own,
// which nothing else can have meanwhile.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/collective.h"
#include "training/parts.h"
#include "training/program.h"

namespace facex::training {

// kConfig when a network that learns cannot be recorded: one that draws masks (the CPU does), runs several times a step,
// trains with other processes or computes on the CPU.
void check_recordable(const Program& program, const Parts& parts, const Collective* group);

class RecordedNetwork {
 public:
  using Values = std::map<std::string, Tensor>;  // by output of the graph

  explicit RecordedNetwork(engine::Network& network);
  ~RecordedNetwork();

  // As Network::forward; images of one shape, and one mode but for its key, always. What it returns holds until the next.
  Values forward(const Tensor& images, const engine::PassMode& mode);
  // As Network::backward of the last forward, onto parameters without gradients. kNative when the recorded pass does not
  // give what the plain one does, or cannot be recorded.
  void backward(const Values& grads);

 private:
  class Graphs;
  engine::Network& network_;
  int plain_steps_ = 0;
  // Of a plain step.
  std::unique_ptr<engine::Pass> pass_;
  Tensor images_;
  engine::PassMode mode_;
  std::unique_ptr<Graphs> graphs_;  // null until recorded
};

}  // namespace facex::training

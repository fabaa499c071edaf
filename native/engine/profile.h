// Where the time of a training step goes, node by node.
#pragma once

#include <chrono>
#include <vector>

#include "engine/network.h"

namespace facex::engine {

struct NodeTime {
  double forward = 0, backward = 0;  // seconds
};

// Sums up the time of every node while it observes a network.
class NodeTimes final : public NodeObserver {
 public:
  explicit NodeTimes(const Graph& graph) : times_(graph.nodes.size()) {}

  void begin(const Node&, bool) override { begin_ = Clock::now(); }
  void end(const Node& node, bool backward) override {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    (backward ? times_[node.id].backward : times_[node.id].forward) += seconds;
  }

  // By node id.
  const std::vector<NodeTime>& times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<NodeTime> times_;
  Clock::time_point begin_;
};

}  // namespace facex::engine

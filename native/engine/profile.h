// Where the time of a training step goes, node by node.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "engine/network.h"

namespace facex::engine {

struct NodeTime {
  double forward = std::numeric_limits<double>::infinity(), backward = forward;  // seconds; infinity: never ran
};

// Keeps each node's smallest time over the steps that it observes: whatever disturbs a step does not hit the same node
// in every one.
class NodeTimes final : public NodeObserver {
 public:
  explicit NodeTimes(const Graph& graph) : times_(graph.nodes.size()) {}

  void begin(const Node&, bool) override { begin_ = Clock::now(); }
  void end(const Node& node, bool backward) override {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    double& best = backward ? times_[node.id].backward : times_[node.id].forward;
    best = std::min(best, seconds);
  }

  // By node id.
  const std::vector<NodeTime>& times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<NodeTime> times_;
  Clock::time_point begin_;
};

}  // namespace facex::engine

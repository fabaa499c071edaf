// Where the time of a network goes, node by node.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "core/device.h"
#include "engine/network.h"

namespace facex::engine {

struct NodeTime {
  double forward = std::numeric_limits<double>::infinity(), backward = forward;  // seconds; infinity: never ran
};

// Keeps each node's smallest time over the passes that it observes: whatever disturbs a pass does not hit the same node
// in every one. On a GPU it waits for the device around each node: the sum is more than a pass takes, since a device that
// is not waited for starts a node while the CPU prepares the next.
class NodeTimes final : public NodeObserver {
 public:
  NodeTimes(const Graph& graph, c10::Device device)
      : device_(device), times_(graph.nodes.size()), pass_(graph.nodes.size(), NodeTime{0, 0}) {}

  void begin(const Node&, bool) override {
    synchronize(device_);
    begin_ = Clock::now();
  }
  void end(const Node& node, bool backward) override {
    synchronize(device_);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    (backward ? pass_[node.id].backward : pass_[node.id].forward) += seconds;
  }
  // A node may have run several times: for some of the images each, or once more before its backward.
  void pass_ends() {
    for (size_t id = 0; id < pass_.size(); ++id) {
      times_[id] = {std::min(times_[id].forward, pass_[id].forward), std::min(times_[id].backward, pass_[id].backward)};
      pass_[id] = {0, 0};
    }
  }

  // By node id.
  const std::vector<NodeTime>& times() const { return times_; }

 private:
  using Clock = std::chrono::steady_clock;
  c10::Device device_;
  std::vector<NodeTime> times_, pass_;
  Clock::time_point begin_;
};

}  // namespace facex::engine

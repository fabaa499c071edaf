// Tells an observer of the nodes that run.
#pragma once

#include "engine/network.h"

namespace facex::engine {

// Lives while a node runs. `observer` may be null.
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

}  // namespace facex::engine

// What can be known of a graph before it runs: which values need gradients, and when each value has had its last use.
#pragma once

#include <memory>
#include <vector>

#include "engine/graph.h"
#include "engine/op.h"

namespace facex::engine {

struct Step {
  const Node* node;
  const OpRow* row;
  std::unique_ptr<Op> op;
  bool wants_grad = false;  // a trainable parameter at or before this node: backward passes through it
  std::vector<bool> wanted;  // which operands do
  bool is_output = false;
  size_t uses = 0;          // operand positions that read this value
};

// Checks every node against the op table and makes its op; ErrorCode::kGraph names node, op and path.
std::vector<Step> make_plan(const Graph& graph);

}  // namespace facex::engine

#include "engine/plan.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace facex::engine {

namespace {

template <typename... Parts>
[[noreturn]] void fail_node(const Node& node, const Parts&... parts) {
  fail(ErrorCode::kGraph, node.path, " (node ", node.id, " ", node.op, "): ", parts...);
}

void check_operands(const Node& node, const OpRow& row) {
  if (node.inputs.size() < row.min_inputs || node.inputs.size() > row.max_inputs) {
    fail_node(node, "expected ", row.min_inputs, " to ", row.max_inputs, " operands, got ", node.inputs.size());
  }
  for (size_t input : node.inputs) {
    if (input >= node.id) fail_node(node, "operand ", input, " does not come before it");
  }
}

void check_params(const Node& node, const OpRow& row) {
  std::set<std::string> roles;
  for (std::string role : row.params) {
    const bool optional = role.back() == '?';
    if (optional) role.pop_back();
    if (!optional && !node.params.contains(role)) fail_node(node, "parameter ", role, " is missing");
    roles.insert(role);
  }
  for (const auto& [role, entry] : node.params) {
    if (!roles.contains(role)) fail_node(node, "there is no parameter role ", role);
  }
}

}  // namespace

std::vector<Step> make_plan(const Graph& graph) {
  std::set<std::string> trainable;
  for (const StateEntry& entry : graph.state) {
    if (entry.is_parameter) trainable.insert(entry.name);
  }
  std::vector<Step> plan;
  plan.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    if (node.id != plan.size()) fail_node(node, "expected id ", plan.size());
    const OpRow* row = find_op(node.op);
    if (row == nullptr) fail_node(node, "unknown op");
    check_operands(node, *row);
    check_params(node, *row);
    Step step;
    step.node = &node;
    step.row = row;
    step.op = row->make(node);
    const bool own = std::any_of(node.params.begin(), node.params.end(), [&](const auto& param) { return trainable.contains(param.second); });
    step.wants_grad = own;
    for (size_t input : node.inputs) {
      ++plan[input].uses;
      step.wanted.push_back(plan[input].wants_grad);
      step.wants_grad = step.wants_grad || plan[input].wants_grad;
    }
    plan.push_back(std::move(step));
  }
  for (const auto& [name, id] : graph.outputs) {
    if (id >= plan.size()) fail(ErrorCode::kGraph, "output ", name, ": there is no node ", id);
    plan[id].is_output = true;
  }
  return plan;
}

}  // namespace facex::engine

// The contract of an op: one instance a node, attributes read when the graph is loaded, explicit forward and backward.
//
// There is no autograd here: each op says what its backward needs, so that the executor frees every other value as
// soon as its last user has run, in both directions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/state.h"
#include "core/tensor.h"
#include "engine/graph.h"
#include "engine/network.h"
#include "engine/parameters.h"

namespace facex::engine {

// Attributes of a node by name. A missing or mistyped one is ErrorCode::kGraph with the node's path.
class Attributes {
 public:
  explicit Attributes(const Node& node) : node_(node) {}
  double number(const std::string& name) const;
  int64_t integer(const std::string& name) const { return static_cast<int64_t>(number(name)); }
  bool flag(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;

 private:
  const Attribute& find(const std::string& name) const;
  const Node& node_;
};

// Whether nobody else holds the value, so that its memory may be written.
inline bool is_own(const Tensor& value) { return value.use_count() == 1 && value.storage().use_count() == 1; }

// What an op sees of one node in a forward pass.
struct Forward {
  const Node& node;
  const std::vector<Tensor>& inputs;
  NodeParameters& params;
  const PassMode& mode;
  // Tensors that backward wants beside inputs and output, in the op's own order; ignored without backward.
  std::vector<Tensor> kept;

  const Tensor& input(size_t i = 0) const { return inputs[i]; }
  // Whether nothing reads operand i after this node, backward included, so that its memory may be written.
  bool owns_input(size_t i = 0) const { return !mode.keep_for_backward && is_own(inputs[i]); }
};

// The same node on the way back.
struct Backward {
  const Node& node;
  Tensor grad;                         // d loss / d output, laid out as the output; the op may take it over
  const std::vector<Tensor>& inputs;   // undefined tensors unless the row needs inputs
  const std::vector<std::vector<int64_t>>& input_sizes;  // always known
  const Tensor& output;                // undefined unless the row needs the output
  const std::vector<Tensor>& kept;
  NodeParameters& params;
  const PassMode& mode;
  const std::vector<bool>& wanted;     // which operands need a gradient
  std::vector<Tensor> input_grads;     // filled by the op, one an operand

  const Tensor& input(size_t i = 0) const { return inputs[i]; }
  // Whether nobody else holds `grad`, so that its memory may be written.
  bool owns_grad() const { return is_own(grad); }
};

// The same node, asked during backward for its value once more.
struct Again {
  const Node& node;
  const std::vector<Tensor>& inputs;
  const std::vector<Tensor>& kept;
  NodeParameters& params;
  const PassMode& mode;
};

class Op {
 public:
  virtual ~Op() = default;
  virtual Tensor forward(Forward& pass) const = 0;
  // The bits that forward gave, without moving any buffer. An op whose forward does more than compute overrides it.
  virtual Tensor again(const Again& pass) const {
    Forward once{.node = pass.node, .inputs = pass.inputs, .params = pass.params, .mode = pass.mode, .kept = {}};
    return forward(once);
  }
  // Sets input_grads where wanted and adds to the gradients of the parameters.
  virtual void backward(Backward& pass) const = 0;
};

// What backward reads of the forward pass.
enum class Needs { kNothing, kInputs, kOutput };

// One row of the op table; names, roles and attributes as in lib/graph/ops.ts.
struct OpRow {
  std::string name;
  size_t min_inputs, max_inputs;
  std::vector<std::string> params;  // optional ones end in '?'
  std::vector<std::string> attrs;
  Needs needs;
  std::unique_ptr<Op> (*make)(const Node& node);
};

// All rows, in the order of lib/graph/ops.ts.
const std::vector<OpRow>& op_table();
// nullptr when there is no such op.
const OpRow* find_op(const std::string& name);

// For the table: makes an op that is constructed from its attributes, or from nothing.
template <typename Kind>
std::unique_ptr<Op> make_op(const Node& node) {
  if constexpr (std::is_constructible_v<Kind, const Attributes&>) {
    return std::make_unique<Kind>(Attributes(node));
  } else {
    return std::make_unique<Kind>();
  }
}

}  // namespace facex::engine

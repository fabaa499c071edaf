// The static graph as decoded from lib/graph/types.ts: plain data, no tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace facex::engine {

using Attribute = std::variant<double, std::string, bool, std::vector<double>>;

// The tensor of a value is [batch * N, dims...].
struct ValueShape {
  int64_t batch = 1;
  std::vector<int64_t> dims;
};

struct Initializer {
  enum class Kind { kConstant, kUniform, kNormal, kTruncatedNormal, kValues } kind = Kind::kConstant;
  double value = 0;             // constant
  double low = 0, high = 0;     // uniform, truncated_normal
  double mean = 0, std = 0;     // normal, truncated_normal
  std::vector<double> values;   // values, row-major
};

struct StateEntry {
  std::string name;
  std::vector<int64_t> shape;
  bool is_parameter = true;
  bool is_int64 = false;
  Initializer init;
};

struct Node {
  size_t id = 0;
  std::string op;
  std::vector<size_t> inputs;
  std::map<std::string, std::string> params;  // role -> state entry
  std::map<std::string, Attribute> attrs;
  ValueShape shape;
  std::string path;  // layer that emitted the node, for messages and profiles
};

struct Graph {
  std::string name;
  std::vector<StateEntry> state;
  std::vector<Node> nodes;  // execution order; node.id == position
  std::map<std::string, size_t> outputs;
};

}  // namespace facex::engine

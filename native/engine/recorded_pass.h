// What a forward pass leaves behind for its backward.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/network.h"

namespace facex::engine {

// What one node keeps for its backward.
struct Record {
  std::vector<Tensor> inputs;  // undefined where backward does not read them, or computes them once more
  std::vector<std::vector<int64_t>> input_sizes;
  Tensor output;
  std::vector<Tensor> kept;
};

class RecordedPass final : public Pass {
 public:
  const Tensor& output(const std::string& name) const override {
    const auto found = outputs.find(name);
    if (found == outputs.end()) fail(ErrorCode::kGraph, "the network has no output \"", name, "\"");
    return found->second;
  }

  std::map<std::string, Tensor> outputs;
  std::vector<Record> records;  // one a node; empty without backward
  std::vector<Tensor> again;    // values that backward has computed once more, by node id
  PassMode mode;
  // Of each stage that is computed again: the values of earlier nodes that it reads, by node id. And what `input` is.
  std::vector<std::map<size_t, Tensor>> entering;
  Tensor images;
};

}  // namespace facex::engine

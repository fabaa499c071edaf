// Table `facex_cuda_graphs` of facex_cuda.so: libtorch's own CUDA graphs; see core/cuda/library.h.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "core/cuda/library.h"

namespace facex::cuda {

// Memory that graphs keep to themselves. Graphs of one pool must be launched in the order in which they were recorded.
using GraphPool = std::pair<uint64_t, uint64_t>;

struct GraphTable {
  GraphPool (*make_pool)();
  // Gives memory that is cached and not in use back to CUDA, so that a pool can have it.
  void (*release_unused)();
  // Records what `work` gives to the current stream; nothing of it runs. Throws what `work` throws, and libtorch's error
  // where something cannot be recorded.
  void* (*record)(GraphPool pool, const std::function<void()>& work);
  void (*launch)(void* graph);  // on the current stream
  void (*free)(void* graph);
};

inline const GraphTable& graphs() {
  static const auto& found = table_as<GraphTable>("graphs");
  return found;
}

// Launches recorded once, to be launched again as a whole, with the same addresses.
class Graph {
 public:
  Graph(GraphPool pool, const std::function<void()>& work) : graph_(graphs().record(pool, work)) {}
  ~Graph() { graphs().free(graph_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch() const { graphs().launch(graph_); }

 private:
  void* graph_;
};

}  // namespace facex::cuda

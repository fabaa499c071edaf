// at::cuda::CUDAGraph behind the table of facex_cuda.so: libtorch's memory allocator must know of recordings.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <memory>

#include "core/cuda/graph_table.h"

namespace facex::cuda {

namespace {

using at::cuda::CUDAGraph;

void* record(GraphPool pool, const std::function<void()>& work) {
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());  // the default stream cannot be recorded
  auto graph = std::make_unique<CUDAGraph>();
  // Of this thread alone: the loader's threads go on to allocate and to copy.
  graph->capture_begin(pool, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    try {
      graph->capture_end();
    } catch (const c10::Error&) {  // what could not be recorded has made the recording void
    }
    throw;
  }
  graph->capture_end();
  return graph.release();
}

GraphPool make_pool() { return at::cuda::graph_pool_handle(); }
void release_unused() { c10::cuda::CUDACachingAllocator::emptyCache(); }
void launch(void* graph) { static_cast<CUDAGraph*>(graph)->replay(); }
void free_graph(void* graph) { delete static_cast<CUDAGraph*>(graph); }

}  // namespace

}  // namespace facex::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_graphs() {
  static const facex::cuda::GraphTable table{facex::cuda::make_pool, facex::cuda::release_unused, facex::cuda::record, facex::cuda::launch,
                                             facex::cuda::free_graph};
  return &table;
}

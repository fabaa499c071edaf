#include "engine/shares.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <atomic>

namespace facex::engine {

namespace {

// Weights are read once a share: with too few images that is most of what the share reads. And products of few rows are slow.
constexpr int64_t kValuesToWeights = 4, kFewestImages = 8;

int64_t parts(int64_t whole, int64_t size) { return (whole + size - 1) / size; }

}  // namespace

int64_t images_a_share(const Graph& graph, int64_t images) {
  const int64_t threads = at::get_num_threads();
  const int64_t a_thread = parts(images, threads);
  if (4 * images < 3 * threads * a_thread) return images;
  int64_t weights = 0, values = 0;
  for (const StateEntry& entry : graph.state) weights += c10::multiply_integers(entry.shape);
  for (const Node& node : graph.nodes) values += node.shape.batch * c10::multiply_integers(node.shape.dims);
  const int64_t fewest = std::max(kFewestImages, parts(kValuesToWeights * weights, std::max<int64_t>(1, values)));
  // Every thread the same number of shares, and shares of the same size.
  return parts(a_thread, std::max<int64_t>(1, a_thread / fewest));
}

void for_shares(int64_t begin, int64_t end, int threads, const std::function<void(int64_t)>& run) {
  std::atomic<int64_t> next = begin;
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t first, int64_t) {
    if (first >= threads) return;
    const c10::NoGradGuard no_grad;
    for (int64_t i = next++; i < end; i = next++) run(i);
  });
}

}  // namespace facex::engine

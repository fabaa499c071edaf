// Inference shares a batch out among threads: each takes a few images at a time through the whole network, so that what
// one node leaves for the next is still in its cache, and threads wait for each other once a batch instead of at every
// node.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/graph.h"

namespace facex::engine {

// Images that a thread takes at a time of a batch of so many. All of them where too many threads would find none left: then
// they share the work of every node.
int64_t images_a_share(const Graph& graph, int64_t images);

// run(i) for each i of [begin, end) from `threads` threads, on each of which libtorch and its libraries compute with this
// one thread alone.
void for_shares(int64_t begin, int64_t end, int threads, const std::function<void(int64_t)>& run);

}  // namespace facex::engine

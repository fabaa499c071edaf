// A stand-in for the CUDA runtime that runs kernels on the CPU, for machines without a GPU: the blocks of a grid one after
// the other, the threads of a block as threads of the CPU that meet at barriers. It finds wrong indices and formulas; it
// knows nothing of speed, streams, or of races that only a GPU's memory shows.
#pragma once

#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static  // blocks do not overlap

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  unsigned count() const { return x * y * z; }
};

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess };
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(cudaError_t) { return ""; }

namespace facex::cuda {

constexpr unsigned kWarpThreads = 32;

// What the threads of one block share.
struct EmulatedBlock {
  std::barrier<> all;
  std::vector<std::unique_ptr<std::barrier<>>> warps;
  std::vector<double> lanes;  // what threads hand each other

  explicit EmulatedBlock(unsigned threads) : all(threads), lanes(threads) {
    for (unsigned first = 0; first < threads; first += kWarpThreads) {
      warps.push_back(std::make_unique<std::barrier<>>(std::min(kWarpThreads, threads - first)));
    }
  }
};

struct EmulatedThread {
  dim3 grid, block, block_index, index;
  unsigned number = 0;
  EmulatedBlock* shared = nullptr;
};

inline thread_local EmulatedThread self;

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t, Arguments... arguments) {
  for (unsigned b = 0; b < grid.count(); ++b) {
    EmulatedBlock shared(block.count());
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < block.count(); ++t) {
      threads.emplace_back([&, t] {
        self = {grid, block, dim3(b % grid.x, b / grid.x % grid.y, b / (grid.x * grid.y)), dim3(t % block.x, t / block.x % block.y, t / (block.x * block.y)), t, &shared};
        kernel(arguments...);
        // A thread that has ended keeps nobody waiting.
        shared.warps[t / kWarpThreads]->arrive_and_drop();
        shared.all.arrive_and_drop();
      });
    }
  }
}

}  // namespace facex::cuda

#define threadIdx facex::cuda::self.index
#define blockIdx facex::cuda::self.block_index
#define blockDim facex::cuda::self.block
#define gridDim facex::cuda::self.grid

inline void __syncthreads() { facex::cuda::self.shared->all.arrive_and_wait(); }

template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  auto& [grid, block, block_index, index, number, shared] = facex::cuda::self;
  std::barrier<>& warp = *shared->warps[number / facex::cuda::kWarpThreads];
  shared->lanes[number] = static_cast<double>(value);
  warp.arrive_and_wait();
  const T other = static_cast<T>(shared->lanes[number ^ static_cast<unsigned>(mask)]);
  warp.arrive_and_wait();
  return other;
}

using std::exp;
using std::log;
using std::max;
using std::min;
using std::sqrt;

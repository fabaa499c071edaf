// Normalisation of bytes: a table of 256 values a block, made in double precision as on the CPU.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "core/cuda/launch.h"
#include "engine/kernels/cuda/batch_norm_table.h"

namespace facex::engine::kernels::cuda {

namespace {

template <typename T>
__global__ void normalise_kernel(const uint8_t* __restrict__ bytes, int64_t count, double mean, double scale, T* __restrict__ values) {
  __shared__ T table[256];
  table[threadIdx.x] = static_cast<T>((static_cast<double>(threadIdx.x) - mean) * scale);
  __syncthreads();
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) values[i] = table[bytes[i]];
}

const char* normalise(const uint8_t* bytes, void* values, Storage storage, int64_t count, double mean, double scale, int blocks, void* stream) {
  const auto launch = [&]<typename T>(T) {
    facex::cuda::launch(normalise_kernel<T>, blocks, 256, static_cast<cudaStream_t>(stream), bytes, count, mean, scale, static_cast<T*>(values));
  };
  switch (storage) {
    case Storage::kDouble: launch(double()); break;
    case Storage::kBFloat16: launch(__nv_bfloat16()); break;
    case Storage::kHalf: launch(__half()); break;
    case Storage::kFloat: launch(float()); break;
  }
  return facex::cuda::launch_problem();
}

}  // namespace

}  // namespace facex::engine::kernels::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_pixels() {
  static const facex::engine::kernels::cuda::PixelTable table{facex::engine::kernels::cuda::normalise};
  return &table;
}

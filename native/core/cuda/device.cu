// The devices as CUDA's runtime sees them.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime.h>
#include <torch/headeronly/version.h>

#include "core/cuda/library.h"

namespace facex::cuda {

namespace {

std::string describe(CudaStatus& status) {
  cudaDriverGetVersion(&status.driver);
  cudaRuntimeGetVersion(&status.runtime);
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    static_cast<void>(cudaGetLastError());  // or the next call of libtorch would report it
    return cudaGetErrorString(error);
  }
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp found{};
    if (const cudaError_t error = cudaGetDeviceProperties(&found, index); error != cudaSuccess) return cudaGetErrorString(error);
    status.devices.push_back({found.name, found.major, found.minor, static_cast<int64_t>(found.totalGlobalMem)});
  }
  if (count == 0) return "CUDA lists none";
  const CudaDevice& first = status.devices[0];
  if (first.major * 10 + first.minor >= 75) return "";
  return first.name + " has compute capability " + std::to_string(first.major) + "." + std::to_string(first.minor) + ", 7.5 is the least";
}

void* stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

int multiprocessors() {
  int device = 0, count = 0;
  C10_CUDA_CHECK(cudaGetDevice(&device));
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
}

int64_t peak_memory() {
  namespace allocator = c10::cuda::CUDACachingAllocator;
  if (!allocator::get()->initialized()) return 0;  // nothing has asked for memory
  return allocator::getDeviceStats(0).allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
}

}  // namespace

}  // namespace facex::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_device() {
  static const facex::cuda::DeviceTable table{TORCH_VERSION, facex::cuda::describe, facex::cuda::stream, facex::cuda::multiprocessors, facex::cuda::peak_memory};
  return &table;
}
